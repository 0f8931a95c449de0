# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# A cluster of fifteen nodes instead of two servers: who they are, where they are, what becomes of them. Part of docker/stack, which
# reads this file.
#
# Before: `up --cluster`. After: private_cluster.sh or compose_cluster.sh makes the nodes; both read docker/cluster/.
# Promise: each node has an address of its own in a network of this stack, 198.18.N.0/24 (RFC 2544: in use nowhere), and keeps it
# whatever becomes of it. What is cut off gets no packet and sends none; nobody is refused in its name.

# Name, kind, and the last number of its address.
readonly cluster_nodes='
postgres1 postgres 11
postgres2 postgres 12
postgres3 postgres 13
etcd1 etcd 21
etcd2 etcd 22
etcd3 etcd 23
redis1 redis 31
redis2 redis 32
redis3 redis 33
redis4 redis 34
redis5 redis 35
redis6 redis 36
buffer buffer 41
haproxy haproxy 51
nginx nginx 52'
# Machines for instances of vitals: nodes that run what `docker/stack run` is given. Balancers know so many of them as
# VITALS_STACK_INSTANCES says: an address at which nobody answers costs nginx a second now and then.
readonly instance_nodes='
instance1 instance 61
instance2 instance 62
instance3 instance 63'
# Where further instances listen to be found by both balancers, on the address of this machine.
readonly instance_ports='8081 8082 8083 8084'

is_cluster() {
  [ -n "${wants_cluster:-}" ] && return 0
  case "$(recorded kind)" in *_cluster) return 0 ;; *) return 1 ;; esac
}

# All of this stack, as lines of name, kind, number. Read once: starting a program for each question would take seconds.
every_node=''
read_nodes() {
  local wanted
  wanted="$(recorded instances)"
  every_node="$cluster_nodes$(head -n "$((1 + ${wanted:-0}))" <<<"$instance_nodes")"
}

# The names, or those of one kind.
nodes_of() {
  local name kind number
  while read -r name kind number; do
    if [ -n "$name" ] && [ "${1:-$kind}" = "$kind" ]; then echo "$name"; fi
  done <<<"$every_node"
}

kind_of_node() {
  local name kind number
  while read -r name kind number; do
    if [ "$name" = "$1" ]; then echo "$kind"; fi
  done <<<"$every_node"
}

number_of() {
  local name kind number
  while read -r name kind number; do
    if [ -n "$name" ] && [ "$name" = "$1" ]; then echo "$number"; fi
  done <<<"$every_node"
}

address_of() { echo "$(recorded subnet).$(number_of "$1")"; }

host_address() { echo "$(recorded subnet).1"; }

port_of_node() {
  case "$(kind_of_node "$1")" in
    postgres) echo 5432 ;;
    etcd) echo 2379 ;;
    redis | buffer) echo 6379 ;;
    haproxy | nginx | instance) echo 8080 ;;
  esac
}

# `address:port` of all nodes of a kind, with commas.
places_of() {
  local node places=''
  for node in $(nodes_of "$1"); do places="$places,$(address_of "$node"):$(port_of_node "$node")"; done
  echo "${places#,}"
}

# Addresses alone, as libpq has them.
hosts_of() { places_of "$1" | sed 's/:[0-9]*//g'; }

# A network that nobody on this machine has.
pick_subnet() {
  local subnet taken
  subnet="$(recorded subnet)"
  taken="$(cat /proc/net/fib_trie 2>/dev/null || true)"
  while [ -z "$subnet" ] || grep -qF " $subnet." <<<"$taken"; do subnet="198.18.$((RANDOM % 256))"; done
  record subnet "$subnet"
}

cluster_url() {
  case "$1" in
    postgres) echo "postgres://vitals:$(recorded password)@$(places_of postgres)/vitals?target_session_attrs=read-write" ;;
    read)
      echo "postgres://vitals:$(recorded password)@$(places_of postgres)/vitals?target_session_attrs=read-only&load_balance_hosts=random"
      ;;
    redis) echo "redis://$(places_of redis)/0" ;;
    buffer) echo "redis://$(places_of buffer)/0" ;;
  esac
}

# What only a cluster has, as lines NAME URL. VITALS_STACK_: for tools and tests; the service refuses a variable that is no setting.
cluster_env() {
  echo "VITALS_READ_DATABASE_URL $(cluster_url read)"
  echo "VITALS_BUFFER_URL $(cluster_url buffer)"
  echo "VITALS_STACK_HAPROXY_URL http://$(places_of haproxy)"
  echo "VITALS_STACK_NGINX_URL http://$(places_of nginx)"
  echo "VITALS_STACK_LISTEN $(host_places | tr ' ' ,)"
  [ -z "$(nodes_of instance)" ] || echo "VITALS_STACK_INSTANCE_NODES $(places_of instance)"
}

# ---- questions ------------------------------------------------------------------------------------------------------

# http METHOD PLACE PATH BODY SECONDS: the body of an answer of 2xx.
http() {
  # shellcheck disable=SC2016  # the inner shell's variables
  timeout "$5" bash -c '
    exec 3<>"/dev/tcp/${2%:*}/${2#*:}" || exit 1
    printf "%s %s HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s" \
      "$1" "$3" "$2" "${#4}" "$4" >&3
    read -r _ status _ <&3
    while IFS= read -r line && [ "${line%$'"'\\r'"'}" != "" ]; do :; done <&3
    cat <&3
    case "$status" in 2*) ;; *) exit 1 ;; esac' http "$@" 2>/dev/null
}

# redis_ask PLACE COMMAND: the lines of its answer.
redis_ask() {
  # shellcheck disable=SC2016  # the inner shell's variables
  timeout 2 bash -c '
    exec 3<>"/dev/tcp/${1%:*}/${1#*:}" || exit 1
    printf "%s\r\nQUIT\r\n" "$2" >&3
    cat <&3' redis "$@" 2>/dev/null | tr -d '\r'
}

# What Patroni says of all members, from whichever node answers first; nothing if none does.
patroni_members() {
  local node
  for node in $(nodes_of postgres); do
    http GET "$(address_of "$node"):8008" /cluster '' 2 && return 0
  done
  return 1
}

# The name of the primary, as Patroni's members have it; nothing while there is none.
primary_of() { sed 's/{/\n{/g' <<<"$1" | sed -n 's/.*"name": "\([a-z0-9]*\)", "role": "leader", "state": "running".*/\1/p'; }

# What a node is at the moment, by its own account; nothing if it does not answer.
role_of() {
  local place answer
  place="$(address_of "$1"):$(port_of_node "$1")"
  case "$(kind_of_node "$1")" in
    postgres)
      answer="$(http GET "$(address_of "$1"):8008" /patroni '' 2)" || true
      case "$answer" in
        *'"role": "primary"'* | *'"role": "master"'*) echo primary ;;
        *'"role": "replica"'*) echo standby ;;
      esac
      ;;
    etcd)
      answer="$(http POST "$place" /v3/maintenance/status '{}' 2)" || true
      case "$answer" in
        *'"leader":"'*)
          if [ "$(sed 's/.*"member_id":"\([0-9]*\)".*/\1/' <<<"$answer")" = "$(sed 's/.*"leader":"\([0-9]*\)".*/\1/' <<<"$answer")" ]; then
            echo leader
          else
            echo follower
          fi
          ;;
      esac
      ;;
    redis)
      answer="$(redis_ask "$place" ROLE)" || true
      case "$answer" in *master*) echo master ;; *slave*) echo replica ;; esac
      ;;
    buffer) [ "$(redis_ask "$place" PING | head -n 1)" != +PONG ] || echo buffer ;;
    haproxy | nginx) if (exec 3<>"/dev/tcp/${place%:*}/${place#*:}") 2>/dev/null; then echo balancer; fi ;;
    instance) if (exec 3<>"/dev/tcp/${place%:*}/${place#*:}") 2>/dev/null; then echo instance; fi ;;
  esac
}

# Name, role, address and state of every node, asked all at once.
cluster_list() {
  local node folder role state asking=()
  folder="$(mktemp -d "$run/roles.XXXXXX")"
  for node in $(nodes_of); do
    state="$(cluster_state "$node")"
    echo "$state" >"$folder/$node.state"
    if [ "$state" = running ]; then
      role_of "$node" >"$folder/$node" &
      asking+=($!)
    fi
  done
  # Nodes that this shell has started are its children too.
  [ ${#asking[@]} = 0 ] || wait "${asking[@]}" || true
  printf '%-10s %-9s %-21s %s\n' NODE ROLE ADDRESS STATE
  for node in $(nodes_of); do
    role=''
    [ ! -e "$folder/$node" ] || read -r role <"$folder/$node" || true
    read -r state <"$folder/$node.state"
    printf '%-10s %-9s %-21s %s\n' "$node" "${role:--}" "$(address_of "$node"):$(port_of_node "$node")" "$state"
  done
  rm -rf "$folder"
}

# running, stopped, frozen, isolated.
cluster_state() {
  local state
  state="$("$(recorded kind)_node_state" "$1")"
  if [ "$state" = running ] && [ -e "$run/$1.isolated" ]; then state=isolated; fi
  echo "$state"
}

# ---- what is done to them ---------------------------------------------------------------------------------------------

# One of kill, stop, start, freeze, thaw, isolate, heal. Done already is done.
cluster_fault() {
  local what="$1" node="${2:-}" kind state
  [ -n "$(number_of "$node")" ] || die "a node is one of:" $(nodes_of)
  kind="$(recorded kind)"
  state="$("${kind}_node_state" "$node")"
  case "$what $state" in
    'kill stopped' | 'stop stopped' | 'start running' | 'start frozen' | 'thaw running' | 'freeze frozen') return 0 ;;
    'freeze stopped' | 'thaw stopped' | 'stop frozen') die "$node is $state" ;;
  esac
  [ "$what $(kind_of_node "$node")" != 'start instance' ] || die "'docker/stack run $node COMMAND' starts it"
  case "$what" in
    isolate) [ ! -e "$run/$node.isolated" ] || return 0 ;;
    heal) [ -e "$run/$node.isolated" ] || return 0 ;;
  esac
  "${kind}_node_$what" "$node"
  case "$what" in
    isolate) record "$node.isolated" yes ;;
    heal) rm -f "$run/$node.isolated" ;;
  esac
}

# A standby that has every commit becomes the primary, in order; the old one becomes its standby.
cluster_switchover() {
  local primary said
  primary="$(primary_of "$(patroni_members)")"
  [ -n "$primary" ] || die "there is no primary at the moment"
  said="$(http POST "$(address_of "$primary"):8008" /switchover "{\"leader\": \"$primary\"}" 60)" ||
    die "Patroni did not switch over: ${said:-it does not answer}"
  say "$said"
}

# Heals, thaws and starts everything, and waits until the cluster is whole.
cluster_mend() {
  local node
  # Patroni waits long for an etcd that has no leader yet.
  for node in $(nodes_of etcd) $(nodes_of redis) $(nodes_of buffer); do node_mend "$node"; done
  # What they ran and does not run any more is for whoever ran it.
  for node in $(nodes_of instance); do
    [ "$(cluster_state "$node")" = running ] || node_repair "$node"
  done
  cluster_wait 'etcd has no leader' etcd_is_whole
  for node in $(nodes_of postgres) $(nodes_of haproxy) $(nodes_of nginx); do node_mend "$node"; done
  cluster_wait 'the Redis Cluster does not cover all slots' redis_is_whole
  cluster_wait 'PostgreSQL has no primary with two standbys' postgres_is_whole
  cluster_wait 'a balancer does not answer' balancers_are_whole
}

node_mend() {
  [ "$(cluster_state "$1")" != running ] || return 0
  node_repair "$1"
  cluster_fault start "$1"
}

node_repair() {
  cluster_fault heal "$1"
  if [ "$(cluster_state "$1")" = frozen ]; then cluster_fault thaw "$1"; fi
}

cluster_wait() {
  local deadline=$((SECONDS + 120))
  until "$2"; do
    [ $SECONDS -lt $deadline ] || {
      cluster_list >&2
      die "$1 after two minutes; above is what the nodes are, and their logs are in $run"
    }
    sleep 0.3
  done
}

etcd_is_whole() {
  local node leaders=0
  for node in $(nodes_of etcd); do
    case "$(role_of "$node")" in
      leader) leaders=$((leaders + 1)) ;;
      follower) ;;
      *) return 1 ;;
    esac
  done
  [ $leaders = 1 ]
}

# The service's database is made on the first occasion.
postgres_is_whole() {
  local members
  members="$(patroni_members)" || return 1
  [ -n "$(primary_of "$members")" ] || return 1
  [ "$(grep -o '"role": "quorum_standby", "state": "streaming"' <<<"$members" | wc -l)" = 2 ] || return 1
  client psql -XAtq -d postgres -v ON_ERROR_STOP=1 >/dev/null 2>&1 <<'SQL'
select 'create database vitals' where not exists (select from pg_database where datname = 'vitals') \gexec
SQL
}

redis_is_whole() {
  local node first info
  for node in $(nodes_of redis) buffer; do [ -n "$(role_of "$node")" ] || return 1; done
  first="$(address_of redis1):6379"
  info="$(redis_ask "$first" 'CLUSTER INFO')"
  case "$info" in
    *cluster_known_nodes:1[!0-9]*)
      # shellcheck disable=SC2046  # a list of words
      client redis-cli --cluster create $(places_of redis | tr , ' ') --cluster-replicas 1 --cluster-yes >"$run/redis-cluster.log" 2>&1 </dev/null ||
        return 1
      info="$(redis_ask "$first" 'CLUSTER INFO')"
      ;;
  esac
  case "$info" in *cluster_state:ok*) ;; *) return 1 ;; esac
  case "$info" in *cluster_slots_ok:16384*) ;; *) return 1 ;; esac
  # Every master has a replica that follows it.
  [ "$(for node in $(nodes_of redis); do redis_ask "$(address_of "$node"):6379" 'INFO replication' | grep -c '^master_link_status:up'; done | grep -c 1)" = 3 ]
}

balancers_are_whole() { [ -n "$(role_of haproxy)" ] && [ -n "$(role_of nginx)" ]; }

# True if the primary and the view answer; of the others `nodes` tells.
cluster_answers() {
  case "$1" in
    postgres) [ -n "$(primary_of "$(patroni_members)")" ] ;;
    redis) [ -n "$(answering_redis)" ] ;;
  esac
}

# A node that sees the whole Redis Cluster, or nothing.
answering_redis() {
  local node
  for node in $(nodes_of redis); do
    case "$(redis_ask "$(address_of "$node"):6379" 'CLUSTER INFO')" in
      *cluster_state:ok*)
        echo "$node"
        return 0
        ;;
    esac
  done
}

# ---- what each is given -----------------------------------------------------------------------------------------------

write_variables() { (umask 077 && cluster_variables "$1" >"$run/$1.env"); }

# The variables of a node, as lines NAME=VALUE, as a shell and Docker read them.
cluster_variables() {
  local node="$1" address peers='' other
  address="$(address_of "$node")"
  case "$(kind_of_node "$node")" in
    postgres)
      cat <<TEXT
PATRONI_NAME=$node
PATRONI_POSTGRESQL_DATA_DIR=/node/data
PATRONI_ETCD3_HOSTS=$(places_of etcd)
PATRONI_RESTAPI_LISTEN=$address:8008
PATRONI_RESTAPI_CONNECT_ADDRESS=$address:8008
PATRONI_POSTGRESQL_LISTEN=*:5432
PATRONI_POSTGRESQL_CONNECT_ADDRESS=$address:5432
PATRONI_SUPERUSER_USERNAME=vitals
PATRONI_SUPERUSER_PASSWORD=$(recorded password)
PATRONI_REPLICATION_USERNAME=replicator
PATRONI_REPLICATION_PASSWORD=$(recorded password)
TEXT
      ;;
    etcd)
      for other in $(nodes_of etcd); do peers="$peers,$other=http://$(address_of "$other"):2380"; done
      # Without fsync: what a machine would lose without power is not tested here, and PostgreSQL needs the disk.
      cat <<TEXT
ETCD_NAME=$node
ETCD_INITIAL_CLUSTER=${peers#,}
ETCD_INITIAL_CLUSTER_TOKEN=$(compose_project)
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://$address:2380
ETCD_ADVERTISE_CLIENT_URLS=http://$address:2379
ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380
ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379
ETCD_HEARTBEAT_INTERVAL=200
ETCD_ELECTION_TIMEOUT=2000
ETCD_UNSAFE_NO_FSYNC=true
ETCD_LOG_LEVEL=warn
TEXT
      ;;
  esac
}

# Where instances of vitals listen, `address:port` each: on this machine, and on machines of their own.
instance_places() { echo "$(host_places) $(places_of instance | tr , ' ')"; }

host_places() {
  local port places=''
  for port in $instance_ports; do places="$places $(host_address):$port"; done
  echo "${places# }"
}

# The balancers have the files of docker/nginx and docker/haproxy, with the addresses of this stack and without TLS. What runs here for
# tests and demos is what is installed elsewhere.
write_balancers() {
  local file
  mkdir -p "$run/nginx"
  for file in "$here"/nginx/*.conf; do with_instances <"$file" >"$run/nginx/${file##*/}"; done
  # At most places nobody listens, and each may be tried first.
  sed -i "s/^proxy_next_upstream_tries 2;/proxy_next_upstream_tries $(instance_places | wc -w);/" "$run/nginx/proxy.conf"
  sed -e 's/^listen 80 /listen 8080 /' -e '/^listen 443 /d' -e '/^ssl_/d' "$here/nginx/listen.conf" >"$run/nginx/listen.conf"
  # Fewer connections: the limit of open files may be low here.
  with_instances <"$here/haproxy/vitals.cfg" |
    sed -e 's/bind :80$/bind :8080/' -e '/bind :443 /d' -e 's/maxconn 10000/maxconn 1000/' >"$run/haproxy.cfg"
}

# Those files name two instances, 127.0.0.1:8081 and 127.0.0.1:8082. The first line becomes one for each of ours, the second goes.
with_instances() {
  awk -v places="$(instance_places)" '
    BEGIN { count = split(places, place, " "); split("a b c d e f g h", name, " ") }
    / server .*127\.0\.0\.1:8082/ { next }
    / server .*127\.0\.0\.1:8081/ {
      for (number = 1; number <= count; number++) {
        line = $0
        sub(/127\.0\.0\.1:8081/, place[number], line)
        sub(/server a /, "server " name[number] " ", line)
        sub(/uploads\/a/, "uploads/" name[number], line)
        print line
      }
      next
    }
    { print }'
}
