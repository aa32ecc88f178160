"""Makes a repository of a tree of BoringSSL sources, with our own BUILD file laid over it.

The tree is the one that tools/setup unpacked, or the one named by --repo_env=BORINGSSL_SRC=DIR. Two layouts are known:
Android's and older upstream's (BUILD.generated.bzl) and today's upstream (gen/sources.bzl).
"""

# Where the lists of sources stand, and where the public headers lie.
_LAYOUTS = [
    struct(lists = "BUILD.generated.bzl", include = "src/include"),
    struct(lists = "gen/sources.bzl", include = "include"),
]

# Our name -> the names that it had over the years; those that a tree has are added up.
_LISTS = {
    "CRYPTO": ["crypto_sources", "bcm_sources"],
    "CRYPTO_ASM": ["crypto_sources_asm", "bcm_sources_asm"],
    "CRYPTO_ASM_AARCH64": ["crypto_sources_linux_aarch64"],
    "CRYPTO_ASM_X86_64": ["crypto_sources_linux_x86_64"],
    "CRYPTO_INTERNAL": ["crypto_internal_headers", "bcm_internal_headers"],
    "CRYPTO_TEXTUAL": ["fips_fragments"],
    "HEADERS": ["crypto_headers", "ssl_headers"],
    "SSL": ["ssl_sources"],
    "SSL_INTERNAL": ["ssl_internal_headers"],
}

def _source_directory(rctx):
    env = rctx.os.environ
    named = env.get("BORINGSSL_SRC")
    if named:
        return named, "which BORINGSSL_SRC names"
    cache = env.get("POSTERN_CACHE")
    if not cache:
        base = env.get("XDG_CACHE_HOME")
        if not base:
            home = env.get("HOME")
            if not home:
                # A bare chroot may come without HOME; the passwd entry then tells, as in tools/setup.
                home = rctx.execute(["sh", "-c", "getent passwd \"$(id -u)\" | cut -d: -f6"]).stdout.strip()
            base = home + "/.cache"
        cache = base + "/postern"
    return cache + "/boringssl", "where tools/setup puts it"

def _boringssl_repository_impl(rctx):
    directory, why = _source_directory(rctx)
    root = rctx.path(directory)
    found = [layout for layout in _LAYOUTS if rctx.path(directory + "/" + layout.lists).exists] if root.exists else []
    if not found:
        fail(("no source of BoringSSL in {} ({}): run tools/setup, or name an unpacked tree with " +
              "--repo_env=BORINGSSL_SRC=DIR").format(directory, why))
    layout = found[0]

    for entry in root.readdir():
        if entry.basename not in ["BUILD", "BUILD.bazel", "MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel"]:
            rctx.symlink(entry, entry.basename)

    # One set of names for every layout. A list of lists is read as text to learn which names it defines.
    text = "\n" + rctx.read(directory + "/" + layout.lists)
    loads = []
    sums = []
    for ours, theirs in _LISTS.items():
        present = [name for name in theirs if "\n" + name + " = [" in text]
        loads.extend(present)
        sums.append("{} = {}".format(ours, " + ".join(present) if present else "[]"))
    if layout.lists.startswith("gen/"):
        rctx.file("lists.bzl", text)  # gen/ is no package: it comes without a BUILD file
        lists = ":lists.bzl"
    else:
        lists = ":" + layout.lists
    rctx.file("sources.bzl", "\n".join(
        ["load({}, {})".format(repr(lists), ", ".join([repr(name) for name in loads]))] +
        sums +
        ["INCLUDE = {}".format(repr(layout.include)), "DETERMINISTIC = {}".format(rctx.attr.deterministic), ""],
    ))

    # Which one it is, where the tree says so: Android's do.
    noted = rctx.path(directory + "/BORINGSSL_REVISION")
    revision = rctx.read(noted).strip()[:12] if noted.exists else "of unknown revision"
    rctx.file("revision/boringssl_revision.h", """\
#ifndef BORINGSSL_REVISION_H_
#define BORINGSSL_REVISION_H_
#define BORINGSSL_REVISION {}
#endif  // BORINGSSL_REVISION_H_
""".format(repr(revision).replace("'", '"')))
    rctx.symlink(rctx.attr._build, "BUILD.bazel")

boringssl_repository = repository_rule(
    implementation = _boringssl_repository_impl,
    attrs = {
        "deterministic": attr.bool(
            doc = "A predictable random generator: for tests, and of no security whatsoever.",
        ),
        "_build": attr.label(default = "//third_party/boringssl:boringssl.BUILD"),
    },
    environ = ["BORINGSSL_SRC", "HOME", "POSTERN_CACHE", "XDG_CACHE_HOME"],
    local = True,
)
