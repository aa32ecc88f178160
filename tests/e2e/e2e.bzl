"""End-to-end tests: the real binary, real sockets, scripted peers."""

def e2e_test(name, size = "medium", data = [], tags = [], runner = None, module = None, io = None, **kwargs):
    """Runs a Python test program with the product beside it.

    An sh_test, because py_test looks for a "python" that Debian does not have.

    Args:
      name: of the target.
      size: as everywhere.
      data: as everywhere.
      tags: as everywhere.
      runner: of another folder, which hands on to run.sh.
      module: its file, without .py; by default called like the target.
      io: the driver, if not the default one.
      **kwargs: handed on to sh_test.
    """
    module = module or name
    native.sh_test(
        name = name,
        size = size,
        tags = tags + ["threads"],
        srcs = [runner or "run.sh"],
        args = [module] + (["--io=" + io] if io else []),
        data = data + (["//tests/e2e:run.sh"] if runner else []) + [
            module + ".py",
            "//tests/e2e:lib",
            "//src:postern",
            "//tools/ca",
        ],
        **kwargs
    )
