"""The results as a Markdown table."""

MARK = "(!)"


def number(value):
    """Three significant digits are all that a measurement on a shared machine is worth."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread_text(spread):
    return "nothing measured" if spread is None else f"{number(spread.median)} ({number(spread.low)}-{number(spread.high)})"


def cell(text):
    """A vertical bar would begin another cell."""
    return " ".join(str(text).replace("|", "\\|").split())


def ratio_text(row, base):
    if row.peer == base:
        return "1"
    return "" if row.ratio is None else f"{row.ratio.median:.2f} ({row.ratio.low:.2f}-{row.ratio.high:.2f})"


def markdown(rows, base):
    """One line for each row; those with marks begin with a sign, and what is wrong stands below."""
    lines = [f"| operation | proxy | median (min-max) | ratio to {cell(base)}'s (min-max) | operations | errors |",
             "|---|---|---|---|---|---|"]
    notes = []
    for row in rows:
        sign = f"{MARK} " if row.marks else ""
        lines.append(f"| {sign}{cell(row.scenario.title)}, {row.scenario.unit} | {cell(row.peer)} | "
                     f"{spread_text(row.value)} | {ratio_text(row, base)} | {row.operations} | {row.errors} |")
        notes += [f"- {MARK} {cell(row.scenario.title)}, {cell(row.peer)}: {cell(mark)}." for mark in row.marks]
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"
