"""The results as an SVG file: a group of bars for each scenario, with whiskers from the smallest to the largest round."""

from xml.sax import saxutils

import table

WIDTH = 820
LEFT, RIGHT = 150, 190  # names of proxies; figures beside the bars
TOP = 84
HEADING, BAR, GAP, BETWEEN = 26, 16, 6, 18

# The base's own bars stand out by colour; every bar has its name beside it, so no colour has to be told from another.
_STYLE = """
  svg { --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --base: #0969da; --kin: #80b3f0; --other: #9aa4af; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --base: #4493f8; --kin: #2c5f9e; --other: #656c76; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 17px; font-weight: 600; }
  .heading { font-weight: 600; }
  .faint { fill: var(--faint); }
  .ground { fill: var(--ground); }
  .base { fill: var(--base); }
  .kin { fill: var(--kin); }
  .other { fill: var(--other); }
  .whisker { stroke: var(--ink); stroke-width: 1.3; fill: none; }
  .axis { stroke: var(--faint); stroke-width: 1; }
"""


def text(x, y, words, kind="", anchor="start"):
    names = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{names}>{saxutils.escape(words)}</text>'


def kind_of(peer, base):
    """The base, the same program otherwise, or somebody else."""
    if peer == base:
        return "base"
    return "kin" if peer.startswith(f"{base},") else "other"


def bar(row, y, pixels_per_unit, base):
    """One proxy: its name, the bar, the whisker, the figures."""
    middle = y + BAR / 2
    parts = [text(LEFT - 8, middle + 4.5, row.peer, anchor="end")]
    if row.value is None:
        return parts + [text(LEFT + 6, middle + 4.5, f"{table.MARK} nothing measured", "faint")]
    low, median, high = (LEFT + pixels_per_unit * value for value in (row.value.low, row.value.median, row.value.high))
    parts.append(f'<rect class="{kind_of(row.peer, base)}" x="{LEFT}" y="{y}" width="{max(0, median - LEFT):.1f}" '
                 f'height="{BAR}" rx="2"/>')
    parts.append(f'<path class="whisker" d="M{low:.1f} {middle - 4:.1f}v8M{low:.1f} {middle:.1f}H{high:.1f}'
                 f'M{high:.1f} {middle - 4:.1f}v8"/>')
    ratio = f", {row.ratio.median:.2f}x" if row.ratio is not None else ""
    sign = f" {table.MARK}" if row.marks else ""
    figures = f"{table.number(row.value.median)} {row.scenario.unit}{ratio}{sign}"
    return parts + [text(max(high, median) + 8, middle + 4.5, figures)]


def group(rows, y, base):
    """One scenario, on a scale of its own; returns its parts and where it ends."""
    largest = max((row.value.high for row in rows if row.value is not None), default=0)
    pixels_per_unit = (WIDTH - LEFT - RIGHT) / largest if largest > 0 else 0
    parts = [text(LEFT, y + 14, f"{rows[0].scenario.title}, {rows[0].scenario.unit}", "heading")]
    y += HEADING
    start = y
    for row in rows:
        parts += bar(row, y, pixels_per_unit, base)
        y += BAR + GAP
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{start - 3}" x2="{LEFT}" y2="{y - GAP + 3}"/>')
    return parts, y + BETWEEN


def svg(rows, base, rounds, subtitle):
    """The whole file."""
    parts, y = [], TOP
    for key in dict.fromkeys(row.scenario.key for row in rows):
        more, y = group([row for row in rows if row.scenario.key == key], y, base)
        parts += more
    title = "What a proxy spends in front of one server"
    words = (f"Bars: median of {rounds} round{'s' if rounds > 1 else ''}; whiskers: smallest to largest; "
             f"x: ratio to {base}'s. Less is better.")
    subtitle = f"Each group has its own scale. {subtitle}"
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">',
            f"<title>{saxutils.escape(title)}</title>", f"<style>{_STYLE}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{y}"/>',
            text(16, 28, title, "title"), text(16, 48, words, "faint"), text(16, 66, subtitle, "faint")]
    return "\n".join(head + parts + ["</svg>"]) + "\n"
