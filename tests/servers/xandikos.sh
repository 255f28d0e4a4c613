#!/bin/sh
# A throwaway Xandikos on loopback, with nginx before it for logins.
#
#   xandikos.sh start DIR [USER[:PASSWORD]]...       http;  default user "ana", default password "secret"
#   xandikos.sh start-tls DIR [USER[:PASSWORD]]...   https; certificate for localhost and 127.0.0.1, by a CA made for it
#   xandikos.sh add DIR <USERS                       more users of a running server, USER[:PASSWORD] a line
#   xandikos.sh stop DIR                             harmless when repeated
#
# DIR is made; afterwards it holds url, log (one line per request with user, method and path), users, run/ (its state), and
# with TLS ca.pem and other-ca.pem (a CA that has nothing to do with the server). Calendars stand below /USER/calendars/;
# Xandikos keeps nobody from another's. Exit 77: something of it is not installed; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/servers/parts.sh
. "$(dirname "$0")/parts.sh"
program=$(cd "$(dirname "$0")" && pwd)/xandikos_users.py

find_programs() {
	/usr/bin/python3 -c 'import aiohttp, xandikos.web' 2>/dev/null || not_installed Xandikos
	find_nginx
}

server_block() { # port
	cat <<C
    auth_basic Xandikos; auth_basic_user_file $run/htpasswd;
    location = /.well-known/caldav { return 301 \$scheme://\$http_host/; }
    location / {
      proxy_pass http://unix:$run/socket; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host \$http_host; proxy_set_header X-Remote-User \$remote_user;
    }
C
}

add_users() {
	sed 's/:/:{PLAIN}/' >>"$run/htpasswd"
}

# A copy: where this file stands may be closed to the owner.
start_parts() { # scheme
	: >"$run/htpasswd"
	chmod 644 "$run/htpasswd"
	rm -f "$run/socket"
	cp "$program" "$run/xandikos_users.py"
	start_part xandikos /usr/bin/python3 "$run/xandikos_users.py" "$run/storage" "$run/socket"
	start_nginx "$1" && wait_for "socket of Xandikos" test -S "$run/socket"
}

stop_parts() {
	end_part nginx
	end_part xandikos
}

run_command "$@"
