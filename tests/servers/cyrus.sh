#!/bin/sh
# A throwaway Cyrus on loopback, for CalDAV or for IMAP.
#
#   cyrus.sh start DIR [USER[:PASSWORD]]...       http;  default user "ana", default password "secret"
#   cyrus.sh start-tls DIR [USER[:PASSWORD]]...   https; certificate for localhost and 127.0.0.1, by a CA made for it
#   cyrus.sh start-imap DIR [USER[:PASSWORD]]...  imap with STARTTLS, and imaps; no calendars
#   cyrus.sh add DIR <USERS                       more users of a running server, USER[:PASSWORD] a line
#   cyrus.sh stop DIR                             harmless when repeated
#
# DIR is made; afterwards it holds url, log (what its master says: Cyrus itself logs to syslog, which is nowhere here), users,
# run/ (its state; a folder run/state/log/USER that is made gets what that user's connections send and receive), and with TLS
# ca.pem and other-ca.pem (a CA that has nothing to do with the server). With imap url is imap://127.0.0.1:PORT, tls-url is
# imaps://..., and ca.pem and other-ca.pem are there; the user "gate" (password "gatekey") may log in as anybody (PLAIN with an
# authorisation identity), "cyrus" (password "cyruskey") is the administrator: mailboxes are user/ana and user/ana/Folder.
#
# imapd and idled come from the package cyrus-imapd, which contrib/install-packages unpacks beside the system because only one
# IMAP server can be installed; find_unpacked of common.sh tells from where.
# Exit 77: Cyrus is not installed (imap: or not unpacked); 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"

bin=/usr/lib/cyrus/bin

is_ours() {
	names_file "$1" "$run/imapd.conf"
}

find_programs() {
	server=$bin/httpd
	if [ "$scheme" = imap ]; then
		unpacked=$(find_unpacked cyrus-imapd)
		imap_bin=$unpacked/usr/lib/cyrus/bin server=$imap_bin/imapd
		if [ -z "$unpacked" ] && [ ! -x "$server" ]; then
			echo "cyrus.sh: cyrus-imapd is not unpacked; contrib/install-packages check does that" >&2
			exit 77
		fi
	fi
	for program in "$bin/master" "$server" "$bin/lmtpd" /usr/bin/db_load; do
		[ -x "$program" ] || {
			echo "cyrus.sh: Cyrus is not installed ($program is missing)" >&2
			exit 77
		}
	done
}

# Lines of services and daemons, by the scheme.
services() { # port
	case $scheme in
	imap)
		echo "  imap cmd=\"$imap_bin/imapd -C $run/imapd.conf -U 200\" listen=\"127.0.0.1:$1\" proto=tcp4 prefork=2 maxchild=2000"
		echo "  imaps cmd=\"$imap_bin/imapd -C $run/imapd.conf -s -U 200\" listen=\"127.0.0.1:$tls_port\" proto=tcp4 prefork=1 maxchild=2000"
		;;
	*) echo "  http cmd=\"$bin/httpd -C $run/imapd.conf $option-U 200\" listen=\"127.0.0.1:$1\" proto=tcp4 prefork=2 maxchild=100" ;;
	esac
}

# Without idled IDLE tells a change after a minute only.
daemons() {
	[ "$scheme" != imap ] || printf 'DAEMON {\n  idled cmd="%s/idled -C %s"\n}\n' "$imap_bin" "$run/imapd.conf"
}

write_config() { # port lmtp-port
	cat >"$run/imapd.conf" <<C
configdirectory: $run/state
defaultpartition: default
partition-default: $run/spool
cyrus_user: $owner
cyrus_group: $(id -gn "$owner")
servername: localhost
virtdomains: off
unixhierarchysep: yes
altnamespace: yes
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $run/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
tls_server_cert: $run/server.crt
tls_server_key: $run/server.key
tls_session_timeout: 0
autocreate_quota: 0
autocreate_post: yes
httpmodules: caldav carddav
httpallowcompress: no
caldav_create_default: yes
caldav_maxdatetime: 20380119T031407Z
caldav_allowattach: yes
search_engine: none
httptimeout: 30
sync_log: 0
skiplist_unsafe: yes
annotation_allow_undefined: yes
proxyservers: gate
C
	cat >"$run/cyrus.conf" <<C
START {
  recover cmd="$bin/ctl_cyrusdb -C $run/imapd.conf -r"
}
SERVICES {
$(services "$1")
  lmtp cmd="$bin/lmtpd -C $run/imapd.conf -a" listen="127.0.0.1:$2" proto=tcp4 prefork=0 maxchild=5
}
EVENTS {
}
$(daemons)
C
}

# The passwords, in a database of SASL's: user, realm and property with a 0 between them. As a whole, as a reader may have
# the old one open.
write_passwords() {
	rm -f "$run/sasldb2.new"
	printf 'gate:gatekey\ncyrus:cyruskey\n' | cat "$dir/users" - |
		sed 's/\\/\\\\/g; s/^\([^:]*\):\(.*\)/\1\\00localhost\\00userPassword\n\2/' |
		as_owner db_load -T -t hash "$run/sasldb2.new"
	mv "$run/sasldb2.new" "$run/sasldb2"
}

# The web server knows nobody without an INBOX; a first message makes it, and is not kept: there is none, only recipients.
make_inboxes() { # file of users
	/usr/bin/python3 -c 'import smtplib, sys
server = smtplib.LMTP("127.0.0.1", int(sys.argv[1]))
server.ehlo()
server.mail("")
for line in open(sys.argv[2]):
    answer = server.rcpt(line.split(":")[0])
    if answer[0] != 250:
        sys.exit("no mailbox for %s: %s" % (line, answer))
server.rset()
server.quit()' "$(cat "$dir/lmtp-port")" "$1"
}

add_users() {
	sed '/:/!s/$/:secret/' >"$dir/users.added"
	cat "$dir/users.added" >>"$dir/users"
	write_passwords
	case $(cat "$dir/url") in
	imap:*) ;; # the first login makes one
	*) make_inboxes "$dir/users.added" ;;
	esac
	rm "$dir/users.added"
}

# Another process may take a port between the asking and the start: then other ports are tried.
start_once() {
	port=$(free_port) tls_port=$(free_port)
	free_port >"$dir/lmtp-port"
	write_config "$port" "$(cat "$dir/lmtp-port")"
	# shellcheck disable=SC2086
	$as setsid $hasty "$bin/master" -C "$run/imapd.conf" -M "$run/cyrus.conf" -p "$run/pid" -D </dev/null >"$dir/log" 2>&1 &
	tries=0
	while [ $tries -lt 600 ]; do
		if answers_port "$port" && [ -s "$run/pid" ] && make_inboxes "$dir/users" 2>>"$dir/log"; then
			if [ "$scheme" = imap ]; then
				echo "imap://127.0.0.1:$port" >"$dir/url"
				echo "imaps://127.0.0.1:$tls_port" >"$dir/tls-url"
			else
				echo "$scheme://127.0.0.1:$port/" >"$dir/url"
			fi
			return 0
		fi
		kill -0 $! 2>/dev/null || return 1
		sleep 0.1
		tries=$((tries + 1))
	done
	end_master
	return 1
}

start_server() { # scheme option-of-httpd users...
	scheme=$1 option=$2
	shift 2
	find_programs
	choose_haste
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	stop_server
	open_run
	for folder in state/db state/log state/msg state/proc state/ptclient state/quota state/socket state/user spool; do
		as_owner mkdir -p "$run/$folder"
	done
	write_user_lines "$dir/users" "$@"
	write_passwords
	[ "$scheme" = http ] || copy_certificate
	for _ in 1 2 3; do
		start_once && return 0
	done
	cat "$dir/log" >&2
	close_run
	fail "the server does not start"
}

end_master() {
	[ -s "$run/pid" ] || return 0
	pid=$(cat "$run/pid")
	rm -f "$run/pid" "$dir/url" "$dir/tls-url"
	end_process "$pid"
}

stop_server() {
	find_run
	end_master
	close_run
}

[ $# -ge 2 ] || fail "start|start-tls|start-imap|add|stop DIR [USER[:PASSWORD]]..."
command=$1 dir=$2
shift 2
case $command in
start) start_server http "" "$@" ;;
start-tls) start_server https "-s " "$@" ;;
start-imap) start_server imap "" "$@" ;;
add)
	dir=$(cd "$dir" && pwd)
	choose_owner
	find_run
	add_users
	;;
stop)
	[ -d "$dir" ] || exit 0
	dir=$(cd "$dir" && pwd)
	stop_server
	;;
*) fail "unknown command $command" ;;
esac
