#!/bin/sh
# A throwaway Radicale on loopback.
#
#   radicale.sh start DIR [USER[:PASSWORD]]...       http;  default user "ana", default password "secret"
#   radicale.sh start-tls DIR [USER[:PASSWORD]]...   https; certificate for localhost and 127.0.0.1, by a CA made for it
#   radicale.sh stop DIR                             harmless when repeated
#
# DIR is made; afterwards it holds url, pid, log (one line per request with method and path), storage/, and with TLS
# ca.pem and other-ca.pem (a CA that has nothing to do with the server). Exit 77: Radicale is not installed; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"

is_ours() {
	names_file "$1" "$dir/config"
}

find_python() {
	for python in /usr/bin/python3 python3; do
		"$python" -c 'import radicale' 2>/dev/null && return 0
	done
	echo "radicale.sh: Radicale is not installed" >&2
	exit 77
}

write_users() {
	: >"$dir/users"
	[ $# -gt 0 ] || set -- ana
	for user; do
		case $user in
		*:*) printf '%s\n' "$user" ;;
		*) printf '%s:secret\n' "$user" ;;
		esac
	done >"$dir/users"
}

write_config() { # port ssl
	cat >"$dir/config" <<C
[server]
hosts = 127.0.0.1:$1
max_connections = 64
max_content_length = 100000000
ssl = $2
certificate = $dir/server.crt
key = $dir/server.key
[auth]
type = htpasswd
htpasswd_filename = $dir/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = $dir/storage
[logging]
level = info
mask_passwords = True
C
}

# Another process may take the port between the asking and the start: then the server ends, and another port is tried.
start_once() { # scheme ssl
	port=$(free_port)
	write_config "$port" "$2"
	: >"$dir/log"
	setsid "$python" -m radicale --config "$dir/config" </dev/null >"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
	tries=0
	while [ $tries -lt 600 ]; do
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || return 1
		if grep -q "Radicale server ready" "$dir/log" && "$python" -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()' "$port" 2>/dev/null; then
			echo "$1://127.0.0.1:$port/" >"$dir/url"
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	stop_server
	return 1
}

start_server() { # scheme ssl users...
	scheme=$1 ssl=$2
	shift 2
	find_python
	mkdir -p "$dir/storage"
	dir=$(cd "$dir" && pwd)
	stop_server
	write_users "$@"
	[ "$ssl" = False ] || make_certificate
	for _ in 1 2 3; do
		start_once "$scheme" "$ssl" && return 0
	done
	cat "$dir/log" >&2
	fail "the server does not start"
}

stop_server() {
	[ -s "$dir/pid" ] || return 0
	pid=$(cat "$dir/pid")
	rm -f "$dir/pid" "$dir/url"
	end_process "$pid"
}

[ $# -ge 2 ] || fail "start|start-tls|stop DIR [USER[:PASSWORD]]..."
command=$1 dir=$2
shift 2
case $command in
start) start_server http False "$@" ;;
start-tls) start_server https True "$@" ;;
stop)
	[ -d "$dir" ] || exit 0
	dir=$(cd "$dir" && pwd)
	stop_server
	;;
*) fail "unknown command $command" ;;
esac
