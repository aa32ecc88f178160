"""The house's own library, binary, test, fuzz test and benchmark: one set of warnings, one way to choose BoringSSL.

Libraries depend on @boringssl//:headers only; what is linked is decided by each binary and test (the parameter
"boringssl"), so that one library serves the product and, with predictable randomness, the simulator.
"""

POSTERN_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wnon-virtual-dtor",
    "-Wimplicit-fallthrough",
    "-Wswitch",
    "-Werror",
    "-fno-exceptions",
]

_BORINGSSL = {
    None: [],
    "deterministic": ["@boringssl_deterministic//:ssl"],
    "real": ["@boringssl//:ssl"],
}

def _implementation(name, boringssl):
    if boringssl not in _BORINGSSL:
        fail("{}: boringssl = {}, but it is \"real\", \"deterministic\" or None".format(name, repr(boringssl)))
    return _BORINGSSL[boringssl]

def postern_library(name, copts = [], **kwargs):
    """A cc_library with the house's warnings."""
    native.cc_library(
        name = name,
        copts = POSTERN_COPTS + copts,
        linkstatic = True,
        **kwargs
    )

def postern_binary(name, boringssl = None, copts = [], deps = [], **kwargs):
    """A cc_binary; boringssl: the implementation to link, "real" or (testonly) "deterministic"."""
    native.cc_binary(
        name = name,
        copts = POSTERN_COPTS + copts,
        deps = deps + _implementation(name, boringssl),
        **kwargs
    )

def postern_test(name, boringssl = None, copts = [], deps = [], size = "small", main = True, **kwargs):
    """A GoogleTest. boringssl as above; main = False for a test that brings its own main()."""
    native.cc_test(
        name = name,
        size = size,
        copts = POSTERN_COPTS + copts,
        linkstatic = True,
        deps = deps + _implementation(name, boringssl) +
               ["@googletest//:gtest_main" if main else "@googletest//:gtest"],
        **kwargs
    )

def postern_fuzz_test(name, srcs, corpus = [], boringssl = None, copts = [], deps = [], args = [], size = "small",
                      tags = [], **kwargs):
    """A fuzzer: srcs define LLVMFuzzerTestOneInput.

    As a test it runs every file of the corpus and then a fixed number of seeded mutations, the same each time. With
    --config=fuzz it is linked with libFuzzer: "bazel run --config=fuzz //src/x:y_fuzz -- -runs=-1" goes on until it finds
    something (the last of several -runs counts; name a directory to keep what it finds interesting).

    Args:
      name: of the target.
      srcs: the sources.
      corpus: files to start from, each by its own label: glob(["corpus/**"]).
      boringssl: as in postern_binary; "deterministic" is the right choice where randomness is drawn.
      copts: further options.
      deps: as everywhere.
      args: for the driver: --mutations=N, --seed=N, --size_max=N (see tools/build/fuzz_main.cc).
      size: as everywhere.
      tags: as everywhere.
      **kwargs: handed on to cc_test.
    """
    files = ["$(rootpath {})".format(file) for file in corpus]
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        args = select({
            # Files as arguments would make libFuzzer run these and stop.
            "//tools/build:libfuzzer": ["-runs=20000"] + (["-seed_inputs=" + ",".join(files)] if files else []),
            "//conditions:default": args + files,
        }),
        copts = POSTERN_COPTS + copts,
        data = corpus,
        linkopts = select({
            "//tools/build:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        tags = tags + ["fuzz"],
        # First: googletest, which some fuzzers play the world with, has a main of its own for whoever has none.
        deps = select({
            "//tools/build:libfuzzer": [],
            "//conditions:default": ["//tools/build:fuzz_main"],
        }) + deps + _implementation(name, boringssl),
        **kwargs
    )

def postern_bench(name, boringssl = None, copts = [], deps = [], main = True, tags = [], **kwargs):
    """A micro-benchmark (Google Benchmark), for "bazel run"; built with everything else, never run as a test."""
    native.cc_binary(
        name = name,
        testonly = True,
        copts = POSTERN_COPTS + copts,
        tags = tags + ["bench"],
        deps = deps + _implementation(name, boringssl) +
               ["@googlebenchmark//:benchmark_main" if main else "@googlebenchmark//:benchmark"],
        **kwargs
    )
