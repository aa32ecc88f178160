#!/bin/bash
# Makes the Debian package and the tarball, the same bytes from the same files: every time is 0, every owner root.
#
#   make_package.sh OUTPUT.deb OUTPUT.tar.gz VERSION_HEADER KEY=FILE...
#
# The keys are those that `files` below asks for. Needs dpkg-dev, binutils, tar, gzip.
set -euo pipefail

die() { printf 'make_package: %s\n' "$*" >&2; exit 1; }

export SOURCE_DATE_EPOCH=0 LC_ALL=C TZ=UTC
umask 022

deb="$(realpath -m "$1")"
tarball="$(realpath -m "$2")"
version="$(sed -n 's/.*kVersion = "\(.*\)";/\1/p' "$3")"
[[ -n "$version" ]] || die "no version in $3"
shift 3
declare -A files
for pair in "$@"; do files["${pair%%=*}"]="$(realpath -e "${pair#*=}")"; done

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"

# put MODE KEY PATH
put() { install -D -m "$1" "${files[$2]:?$2}" "$root/$3"; }
put_compressed() { mkdir -p "$root/$(dirname "$2")"; gzip -9n <"${files[$1]:?$1}" >"$root/$2.gz"; }

put 0755 postern usr/sbin/postern
put 0755 healthtop usr/sbin/postern-healthtop
strip --remove-section=.comment --remove-section=.note "$root/usr/sbin/"*
put 0755 reload usr/libexec/postern/reload
put 0644 unit lib/systemd/system/postern.service
put 0644 config etc/postern/postern.textproto
put 0644 logrotate etc/logrotate.d/postern
install -d -m 0750 "$root/etc/postern/tls"
put_compressed man usr/share/man/man8/postern.8
put_compressed changelog usr/share/doc/postern/changelog
put 0644 example usr/share/doc/postern/examples/example.textproto
tar --extract --no-same-owner --file "${files[docs]:?}" --directory "$root/usr/share/doc/postern"
put 0644 dashboard usr/share/doc/postern/examples/grafana.json

# What is linked into the program, with the words of those who made it.
copyright="$root/usr/share/doc/postern/copyright"
cat "${files[copyright]:?}" >"$copyright"
{
  printf 'BoringSSL\n=========\n\n'
  cat "${files[boringssl_license]:?}"
  for package in libabsl-dev libbrotli-dev libc-ares-dev libnghttp2-dev libprotobuf-dev liburing-dev rapidjson-dev \
    zlib1g-dev; do
    printf '\n%s\n%s\n\n' "$package" "${package//?/=}"
    cat "/usr/share/doc/$package/copyright"
  done
} | sed 's/^/ /; s/[[:space:]]*$//; s/^$/ ./' | { printf 'Comment:\n'; cat; } >>"$copyright"

# The libraries that the program still loads, and the versions of them that it needs.
mkdir -p "$work/shlibs/debian"
printf 'Source: postern\n\nPackage: postern\nArchitecture: any\n' >"$work/shlibs/debian/control"
depends="$(cd "$work/shlibs" && dpkg-shlibdeps -O --ignore-missing-info "$root/usr/sbin/"* 2>/dev/null |
  sed -n 's/^shlibs:Depends=//p')"
[[ -n "$depends" ]] || die "dpkg-shlibdeps found no libraries"

mkdir -p "$root/DEBIAN"
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$(dpkg --print-architecture)/; s/@DEPENDS@/$depends/" \
  -e "s/@SIZE@/$(find "$root" -type f -printf '%s\n' | awk '{ kib += int(($1 + 1023) / 1024) } END { print kib }')/" \
  "${files[control]:?}" >"$root/DEBIAN/control"
(cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do put 0755 "$script" "DEBIAN/$script"; done
(cd "$root" && find . -path ./DEBIAN -prune -o -path ./etc -prune -o -type f -printf '%P\0' | sort -z |
  xargs -0 md5sum) >"$root/DEBIAN/md5sums"

find "$root" -exec touch --no-dereference --date=@0 {} +
dpkg-deb --root-owner-group --uniform-compression -Zxz -z6 --build "$root" "$deb" >/dev/null

# The same without Debian's part, under a folder with the version's name.
rm -r "$root/DEBIAN"
tar --create --sort=name --mtime=@0 --owner=root:0 --group=root:0 --format=ustar \
  --directory="$root" --transform="s,^\.,postern-$version," . | gzip -9n >"$tarball"
