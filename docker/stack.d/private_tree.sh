# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# The private Debian 13 tree that holds the programs of both servers. Part of docker/stack, which reads this file.
#
# Before: nothing but apt-get. After: private.sh runs what is in the tree.
# Promise: `$tree` exists whole or not at all, however often and wherever the building was interrupted; the packages are
# those of the host's own Debian mirror, through its own proxy, checked by Debian's keys. Packages are unpacked, not
# installed: no maintainer script runs, nothing needs root, and neither the host's dpkg nor its services notice.

readonly tree_suite=trixie
# tzdata-legacy: the older zone names (Asia/Calcutta) that the Docker image knows too. ncurses-base: line editing in psql.
readonly tree_packages=base-files,dash,libc-bin,ncurses-base,postgresql-17,postgresql-17-timescaledb,redis-server,tzdata,tzdata-legacy
# What a cluster has besides, in a tree of its own: who needs no cluster does not wait for it.
readonly cluster_packages=patroni,python3-etcd,etcd-server,haproxy,nginx
readonly debian_keys=/usr/share/keyrings/debian-archive-keyring.gpg
# Raised when make_tree does something else with the same packages: an older tree is then not taken for a new one.
readonly tree_recipe=2

private_is_possible() { [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null; }

locate_tree() {
  tree="${tree:-$base/debian-$tree_suite-$(printf '%s' "$tree_recipe $(packages_of_tree)" | cksum | cut -d' ' -f1)}"
}

packages_of_tree() { if is_cluster; then echo "$tree_packages,$cluster_packages"; else echo "$tree_packages"; fi; }

ensure_tree() {
  locate_tree
  ensure_tools
  [ -d "$tree" ] && return 0
  # A lock of its own: stacks of several clones may share the tree.
  exec 8>"$base/tree.lock"
  flock -n 8 || {
    say "another 'docker/stack' is building the Debian tree; waiting for it"
    flock -w 600 8 || die "it did not finish in ten minutes"
  }
  [ -d "$tree" ] || make_tree
  exec 8>&-
}

make_tree() {
  local servers='PostgreSQL, TimescaleDB and Redis'
  ! is_cluster || servers="$servers, Patroni, etcd, HAProxy and nginx"
  say "building a private Debian 13 with $servers: once, about half a minute"
  rm -rf "$base"/building.* # under the lock: the work of nobody who still lives
  building="$(mktemp -d "$base/building.XXXXXX")"
  host_apt_settings >"$building/apt.conf"
  # None: mmdebstrap takes Debian's usual ones.
  local mirrors=() line mode=root
  while IFS= read -r line; do mirrors+=("$line"); done < <(host_mirrors)
  # chrootless needs no privilege, and mmdebstrap will not have it done with one. Both only unpack here.
  [ "$(id -u)" = 0 ] || mode=chrootless
  TMPDIR="$building" mmdebstrap --variant=extract --mode="$mode" --format=directory --components=main \
    --include="$(packages_of_tree)" --keyring="$debian_keys" --aptopt="$building/apt.conf" \
    "$tree_suite" "$building/tree" ${mirrors[@]+"${mirrors[@]}"} </dev/null >"$building/log" 2>&1 || {
    tail -n 20 "$building/log" >&2
    die "the Debian tree could not be made; above is what mmdebstrap said"
  }
  prune_tree "$building/tree"
  printf 'vitals:x:5432:5432::/tmp:/bin/sh\n' >"$building/tree/etc/passwd"
  printf 'vitals:x:5432:\n' >"$building/tree/etc/group"
  # Patroni looks for localhost; without this it waits for a name server that is not there.
  ! is_cluster || printf '127.0.0.1 localhost\n' >"$building/tree/etc/hosts"
  # tzdata has a link to it among the zones. Whoever reads all of them (pg_timezone_names, TimescaleDB for a rollup in a zone) fails
  # where that leads nowhere.
  ln -s /usr/share/zoneinfo/Etc/UTC "$building/tree/etc/localtime"
  mv "$building/tree" "$tree"
  rm -rf "$building"
  say "built in $SECONDS s: $tree"
}

# What two servers and their clients never open: more than half of the volume. The compiler for queries (LLVM) goes too:
# postgres.conf has jit = off.
prune_tree() (
  cd "$1/usr" || exit
  rm -rf ../var ../boot include share/{doc,man,info,locale,i18n,perl,perl5,lintian,bash-completion} share/perl/ \
    bin/perl* lib/*/perl lib/*/perl5 lib/*/perl-base lib/*/libperl.* lib/*/libLLVM* lib/*/libz3.* lib/llvm* \
    lib/postgresql/*/lib/bitcode lib/postgresql/*/lib/llvmjit* lib/postgresql/*/lib/pgxs
)

# The mirrors this Debian host uses, as lines for another suite. Nothing on Ubuntu, or where apt's lists do not tell.
host_mirrors() {
  local uri component label
  # shellcheck disable=SC2016  # apt-get fills these in
  apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(LABEL)' 'Created-By: Packages' 2>/dev/null | sort -u |
    while read -r uri component label; do
      case "$component $label $uri" in
        "main Debian http"*) printf 'deb %s %s main\n' "$uri" "$tree_suite" "$uri" "$tree_suite-updates" ;;
        "main Debian-Security http"*) printf 'deb %s %s main\n' "$uri" "$tree_suite-security" ;;
      esac
    done | awk '!seen[$3]++'
}

# How this host reaches a mirror: proxies, certificates, and what it says of dates where its mirror is a frozen one.
host_apt_settings() {
  apt-config dump | grep -iE '^Acquire::(https?::|Retries|Check-)' || true
  echo 'Acquire::Languages "none";'
  echo 'APT::Sandbox::User "root";' # the build directory may be closed to apt's own user
}

ensure_tools() {
  local missing='' command sudo=''
  command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
  command -v bwrap >/dev/null || missing="$missing bubblewrap"
  ! is_cluster || command -v ip >/dev/null || missing="$missing iproute2"
  [ -e "$debian_keys" ] || missing="$missing debian-archive-keyring"
  [ -n "$missing" ] || return 0
  command="apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends$missing"
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "please run once: sudo apt-get update && sudo $command"
    sudo='sudo -n'
  fi
  say "installing$missing into this system (apt-get)"
  # shellcheck disable=SC2086  # lists of words
  {
    $sudo env DEBIAN_FRONTEND=noninteractive $command ||
      { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive $command; }
  } </dev/null >"$run/apt.log" 2>&1 || {
    tail -n 20 "$run/apt.log" >&2
    die "apt-get could not install$missing; above is what it said"
  }
}
