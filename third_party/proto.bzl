"""cc_proto: C++ of a protobuf schema, made by Debian's protoc."""

def cc_proto(name, src, visibility = None):
    """A cc_library with the messages of one schema.

    The header is included by the path of the schema from the root: "src/config/config.pb.h".

    Args:
      name: the name of the library.
      src: the schema, a .proto file of this package that imports nothing but protobuf's own.
      visibility: as everywhere.
    """
    if not src.endswith(".proto"):
        fail("cc_proto {}: {} is not a .proto file".format(name, src))
    stem = src[:-len(".proto")]
    header = stem + ".pb.h"
    source = stem + ".pb.cc"
    native.genrule(
        name = name + "_generate",
        srcs = [src],
        outs = [header, source],
        cmd = "/usr/bin/protoc --proto_path=. --cpp_out=$(GENDIR) $(location {})".format(src),
        message = "Generating C++ of",
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [source],
        hdrs = [header],
        copts = ["-w"],
        linkstatic = True,
        visibility = visibility,
        deps = ["@protobuf"],
    )
