"""Makes a repository of cc_library targets out of development packages that pkg-config knows.

Static archives are preferred: a binary then runs on a host without the -dev packages. Archives are linked into the
repository, so that an upgraded package is noticed. Headers lie in /usr/include, which the compiler treats as a system
directory: they raise no warnings. Other include directories that pkg-config names become system includes too.
"""

def _pkg_config(rctx, flag, modules):
    modules = [module for module in modules if not module.startswith("-l")]
    result = rctx.execute(["pkg-config", "--static", flag] + modules)
    if result.return_code != 0:
        fail("@{}: pkg-config does not know {}: run tools/setup (it installs {}).\n{}".format(
            rctx.name,
            " ".join(modules),
            rctx.attr.package,
            result.stderr,
        ))
    return [word for word in result.stdout.replace("\n", " ").split(" ") if word]

def _find_archive(rctx, library, search):
    """The path of the static archive of "library" (the word after -l), or None."""
    for directory in search:
        path = rctx.path("{}/lib{}.a".format(directory, library))
        if path.exists:
            return path
    path = rctx.execute(["gcc", "-print-file-name=lib{}.a".format(library)]).stdout.strip()
    return rctx.path(path) if path.startswith("/") else None

# Part of the C library, or of its usual company: always shared.
_SYSTEM_LIBRARIES = ["atomic", "c", "dl", "m", "pthread", "rt"]

def _link_line(rctx, modules):
    """Splits the link line of the modules into archives and other options, keeping the order within each."""
    words = [word for word in modules if word.startswith("-l")] + _pkg_config(rctx, "--libs", modules)
    search = [word[2:] for word in words if word.startswith("-L")]
    archives = []
    options = []
    for word in words:
        if word.startswith("-L"):
            options.append(word)
            continue
        library = word[2:] if word.startswith("-l") else None
        path = None
        if library and library not in _SYSTEM_LIBRARIES:
            path = _find_archive(rctx, library, search)
        if not path:
            options.append(word)
            continue
        name = "lib/lib{}.a".format(library)
        if name in archives:
            # Behind all that refer to it.
            archives.remove(name)
        else:
            rctx.symlink(path, name)
        archives.append(name)
    return archives, options

def _compile_line(rctx, modules, included):
    """The preprocessor symbols and (linked into the repository) the include directories of the modules."""
    defines = []
    includes = []
    for word in _pkg_config(rctx, "--cflags", modules):
        if word.startswith("-D"):
            if word != "-DNOMINMAX":  # meant for Windows, and set on every target of abseil
                defines.append(word[2:])
        elif word.startswith("-I") and not word[2:].startswith("/usr/include"):
            if word not in included:
                included[word] = "include_{}".format(len(included))
                rctx.symlink(word[2:], included[word])
            includes.append(included[word])
    return defines, includes

def _library(name, srcs = [], deps = [], defines = [], includes = [], linkopts = [], public = True, testonly = False):
    lines = ["cc_library(", "    name = {},".format(repr(name))]
    if srcs:
        lines.append("    srcs = {},".format(srcs))
    if includes:
        lines.append("    hdrs = glob({}),".format([directory + "/**" for directory in includes]))
        lines.append("    includes = {},".format(includes))
    if defines:
        lines.append("    defines = {},".format(defines))
    if linkopts:
        lines.append("    linkopts = {},".format(linkopts))
    if deps:
        lines.append("    deps = {},".format(deps))
    lines.append("    linkstatic = True,")
    if testonly:
        lines.append("    testonly = True,")
    if public:
        lines.append("    visibility = [\"//visibility:public\"],")
    return "\n".join(lines + [")", ""])

def _pkg_config_repository_impl(rctx):
    included = {}
    only_tests = rctx.attr.only_tests

    # pkg-config orders the archives of all modules at once, and every target links that one list: the order is right and
    # nothing is named twice, whichever targets a binary asks for. What no one refers to is not pulled from an archive.
    modules = {}
    for names in rctx.attr.targets.values():
        modules.update({module: True for module in names.split(" ")})
    archives, options = _link_line(rctx, modules.keys())
    build = [_library("link_line", srcs = archives, linkopts = options, public = False, testonly = only_tests)]

    for target, names in rctx.attr.targets.items():
        defines, includes = _compile_line(rctx, names.split(" "), included)
        build.append(_library(
            target,
            defines = defines,
            deps = [":link_line"],
            includes = includes,
            testonly = only_tests,
        ))
    rctx.file("BUILD.bazel", "\n".join(build))

pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {
        "package": attr.string(doc = "The Debian package, for the error message."),
        "targets": attr.string_dict(
            doc = "Name of the target -> pkg-config modules, separated by spaces; also -lNAME for an archive without one.",
        ),
        "only_tests": attr.bool(doc = "The targets may be used by tests only."),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
