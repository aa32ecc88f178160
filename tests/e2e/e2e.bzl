"""End-to-end tests: the real binary, real sockets, scripted peers."""

def e2e_test(name, size = "medium", data = [], tags = [], runner = None, **kwargs):
    """Runs the Python test program `name`.py with the product beside it.

    An sh_test, because py_test looks for a "python" that Debian does not have.

    Args:
      name: of the target and of its file.
      size: as everywhere.
      data: as everywhere.
      tags: as everywhere.
      runner: of another folder, which hands on to run.sh.
      **kwargs: handed on to sh_test.
    """
    native.sh_test(
        name = name,
        size = size,
        tags = tags + ["threads"],
        srcs = [runner or "run.sh"],
        args = [name],
        data = data + (["//tests/e2e:run.sh"] if runner else []) + [
            name + ".py",
            "//tests/e2e:lib",
            "//src:postern",
            "//tools/ca",
        ],
        **kwargs
    )
