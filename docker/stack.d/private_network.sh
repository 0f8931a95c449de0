# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# The network of a private cluster: a bridge, and a cable to each node. Part of docker/stack, which reads this file.
#
# Before: nothing but the right to make links (root, or sudo without a password). After: private_cluster.sh plugs nodes in.
# Promise: names of links begin with this stack's number; cables end with their node, and the bridge with `down`.

network_number() { printf '%08x' "$(printf '%s' "$run" | cksum | cut -d' ' -f1)"; }

bridge_name() { echo "vb$(network_number)"; }

cable_of() { echo "v$(network_number).$(number_of "$1")"; }

with_rights() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

network_up() {
  local bridge
  bridge="$(bridge_name)"
  [ ! -e "/sys/class/net/$bridge" ] || return 0
  pick_subnet
  with_rights ip link add "$bridge" type bridge 2>"$run/network.log" || {
    cat "$run/network.log" >&2
    die "no bridge can be made here. A private cluster needs root (or sudo without a password) and, in a container, the capability" \
      "NET_ADMIN; with a Docker engine there is none of that: VITALS_STACK_KIND=compose"
  }
  with_rights ip addr add "$(host_address)/24" dev "$bridge"
  with_rights ip link set "$bridge" up
}

# The cables too: one whose node has just ended may still be there.
network_down() {
  local link
  for link in /sys/class/net/v"$(network_number)".* "/sys/class/net/$(bridge_name)"; do
    # It may be going at this moment.
    [ ! -e "$link" ] || with_rights ip link del "${link##*/}" 2>/dev/null || [ ! -e "$link" ] || die "cannot delete the link ${link##*/}"
  done
}

# A cable from the bridge to the sandbox of this process. A node has the same hardware address for ever: nobody has to learn it anew.
plug_in() {
  local node="$1" pid="$2" cable number
  cable="$(cable_of "$node")"
  number="$(number_of "$node")"
  [ ! -e "/sys/class/net/$cable" ] || with_rights ip link del "$cable"
  with_rights ip link add "$cable" type veth \
    peer name eth0 address "$(printf '02:76:69:74:00:%02x' "$number")" netns "$pid"
  with_rights ip link set "$cable" master "$(bridge_name)" up
  with_rights nsenter --target "$pid" --net ip -batch - <<TEXT
addr add $(address_of "$node")/24 dev eth0
link set eth0 up
route add default via $(host_address)
TEXT
  [ ! -e "$run/$node.isolated" ] || cut_off "$node"
}

# Its port of the bridge passes nothing on, in either direction; at its own end the cable looks whole.
cut_off() { with_rights bridge link set dev "$(cable_of "$1")" state 0; }

reconnect() { with_rights bridge link set dev "$(cable_of "$1")" state 3; }
