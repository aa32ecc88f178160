"""Every external repository, in one place."""

load("//third_party:pkg_config.bzl", "pkg_config_repository")
load("//third_party/boringssl:repository.bzl", "boringssl_repository")

def postern_packages():
    """Declares what tools/setup has installed."""
    boringssl_repository(name = "boringssl")

    # The same sources with a predictable random generator, for the simulator and the fuzzers.
    boringssl_repository(
        name = "boringssl_deterministic",
        deterministic = True,
    )

    pkg_config_repository(
        name = "absl",
        package = "libabsl-dev",
        targets = {
            "cleanup": "absl_cleanup",
            "config": "absl_config",
            "fixed_array": "absl_fixed_array",
            "flags": "absl_flags absl_flags_reflection",
            "flags_parse": "absl_flags_parse",
            "flags_usage": "absl_flags_usage",
            "flat_hash_map": "absl_flat_hash_map",
            "flat_hash_set": "absl_flat_hash_set",
            "function_ref": "absl_function_ref",
            "hash": "absl_hash",
            "inlined_vector": "absl_inlined_vector",
            "optional": "absl_optional",
            "span": "absl_span",
            "status": "absl_status",
            "statusor": "absl_statusor",
            "str_format": "absl_str_format",
            "strings": "absl_strings",
            "time": "absl_time",
        },
    )
    pkg_config_repository(
        name = "liburing",
        package = "liburing-dev",
        targets = {"uring": "liburing"},
    )
    pkg_config_repository(
        name = "brotli",
        package = "libbrotli-dev",
        targets = {
            "decoder": "libbrotlidec",
            "encoder": "libbrotlienc",
        },
    )
    pkg_config_repository(
        name = "cares",
        package = "libc-ares-dev",
        targets = {"cares": "libcares"},
    )
    pkg_config_repository(
        name = "zlib",
        package = "zlib1g-dev",
        targets = {"zlib": "zlib"},
    )
    pkg_config_repository(
        name = "nghttp2",
        package = "libnghttp2-dev",
        targets = {"nghttp2": "libnghttp2"},
    )
    pkg_config_repository(
        name = "protobuf",
        package = "libprotobuf-dev",
        targets = {"protobuf": "protobuf"},
    )
    pkg_config_repository(
        name = "rapidjson",
        package = "rapidjson-dev",
        targets = {"rapidjson": "RapidJSON"},
    )
    pkg_config_repository(
        name = "googletest",
        package = "libgtest-dev libgmock-dev",
        targets = {
            "gmock": "gmock",
            "gtest": "gtest",
            "gtest_main": "gmock_main",
        },
        only_tests = True,
    )
    pkg_config_repository(
        name = "googlebenchmark",
        package = "libbenchmark-dev",
        targets = {
            "benchmark": "benchmark",
            "benchmark_main": "-lbenchmark_main benchmark",
        },
        only_tests = True,
    )
