#!/bin/sh
# A throwaway name server (dnsmasq) on loopback, which knows what it is told and nothing else.
#
#   names.sh start DIR [LINE]...     each LINE one of dnsmasq's configuration, as srv-host=_caldavs._tcp.example.test,dav.example.test,443
#   names.sh start-at ADDRESS DIR [LINE]...    on port 53 of that address, for a network namespace of one's own
#   names.sh stop DIR                harmless when repeated
#
# DIR is made; afterwards it holds url ("127.0.0.1:PORT"), pid, log. Exit 77: dnsmasq is not installed; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"

is_ours() {
	names_file "$1" "$dir/config"
}

find_program() {
	for program in dnsmasq /usr/sbin/dnsmasq; do
		command -v "$program" >/dev/null && return 0
	done
	echo "names.sh: dnsmasq is not installed" >&2
	exit 77
}

write_config() { # address port lines...
	printf 'no-resolv\nno-hosts\nno-poll\nbind-interfaces\nlisten-address=%s\nport=%s\nlog-queries\nuser=%s\ngroup=\n' \
		"$1" "$2" "$(id -un)" >"$dir/config"
	printf 'local=/test/\n' >>"$dir/config"
	shift 2
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$dir/config"
}

start_once() { # address port lines...
	write_config "$@"
	setsid "$program" --keep-in-foreground --log-facility=- --pid-file= -C "$dir/config" \
		</dev/null >"$dir/log" 2>&1 &
	echo $! >"$dir/pid"
	tries=0
	while [ $tries -lt 600 ]; do
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || return 1
		if /usr/bin/python3 -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()' "$1" "$2" 2>/dev/null; then
			echo "$1:$2" >"$dir/url"
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	stop_server
	return 1
}

start_server() { # address port-or-0 lines...
	address=$1 port=$2
	shift 2
	find_program
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	stop_server
	for _ in 1 2 3; do
		at=$port
		[ "$port" != 0 ] || at=$(free_port)
		start_once "$address" "$at" "$@" && return 0
	done
	cat "$dir/log" >&2
	fail "the name server does not start"
}

stop_server() {
	[ -s "$dir/pid" ] || return 0
	pid=$(cat "$dir/pid")
	rm -f "$dir/pid" "$dir/url"
	end_process "$pid"
}

[ $# -ge 2 ] || fail "start|start-at ADDRESS|stop DIR [LINE]..."
command=$1
shift
if [ "$command" = start-at ]; then
	address=$1
	shift
fi
dir=$1
shift
case $command in
start) start_server 127.0.0.1 0 "$@" ;;
start-at) start_server "$address" 53 "$@" ;;
stop)
	[ -d "$dir" ] || exit 0
	dir=$(cd "$dir" && pwd)
	stop_server
	;;
*) fail "unknown command $command" ;;
esac
