#!/bin/sh
# A throwaway Courier on loopback: imap (with STARTTLS where root starts it: else it cannot become the user that Courier does
# that as), and imaps; certificate for localhost and 127.0.0.1.
#
#   courier.sh start DIR [USER[:PASSWORD]]...   default user "ana", default password "secret"
#   courier.sh add DIR <USERS                   more users of a running server, USER[:PASSWORD] a line
#   courier.sh stop DIR                         harmless when repeated
#
# DIR is made; afterwards it holds url (imap://127.0.0.1:PORT), tls-url (imaps://...), ca.pem, other-ca.pem (a CA that has
# nothing to do with the server), users, log, run/mail/USER/Maildir.
#
# imapd and imaplogin come from the package courier-imap, which contrib/install-packages unpacks beside the system because only
# one IMAP server can be installed; find_unpacked of common.sh tells from where. Their configuration is looked for in
# /etc/courier and their sockets in /run/courier, whatever is asked of them: the server runs in a mount namespace of its own,
# where DIR's stand there, and in a process namespace, which ends as a whole.
#
# Environment: COURIER_IDLE_CHECK seconds (default 1): how often IDLE looks at the mailbox.
# Exit 77: Courier is not installed or not unpacked, or there are no namespaces to be had; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"

authdaemond=/usr/lib/courier/courier-authlib/authdaemond
makedat=/usr/lib/courier/courier-authlib/makedatprog

is_ours() {
	names_file "$1" "$run/serve"
}

missing() { # why
	echo "courier.sh: $1" >&2
	exit 77
}

find_programs() {
	unpacked=$(find_unpacked courier-imap)
	if [ -z "$unpacked" ]; then
		[ -x /usr/bin/imapd ] && [ -x /usr/lib/courier/courier/imaplogin ] ||
			missing "courier-imap is not unpacked; contrib/install-packages check does that"
	fi
	imapd=$unpacked/usr/bin/imapd imaplogin=$unpacked/usr/lib/courier/courier/imaplogin
	tcpd=/usr/sbin/couriertcpd
	for program in "$imapd" "$imaplogin" $tcpd $authdaemond $makedat /usr/bin/couriertls; do
		[ -x "$program" ] || missing "Courier is not installed ($program is missing)"
	done
}

# Sets namespace, the words before a command that is to run in one: root's own, or an ordinary user's.
find_namespace() {
	for namespace in "unshare -m -p --fork --kill-child=KILL" "unshare -c --keep-caps -m -p --fork --kill-child=KILL"; do
		# shellcheck disable=SC2016,SC2086
		! $namespace sh -c 'mount --make-rprivate / && mount --bind "$0" "$0"' "$dir" 2>/dev/null || return 0
	done
	missing "this user may make no mount namespace"
}

# As shell assignments: the package's own settings, and ours.
write_config() {
	starttls=NO
	[ "$(id -u)" != 0 ] || starttls=YES
	mkdir -p "$run/etc/shared" "$run/sockets/authdaemon" "$run/mail"
	cat "$unpacked/etc/courier/imapd-ssl" "$unpacked/etc/courier/imapd" - >"$run/imapd" <<C
IMAP_IDLE_TIMEOUT=${COURIER_IDLE_CHECK:-1}
IMAP_STARTTLS=$starttls
IMAP_ULIMITD=
TLS_CERTFILE=$run/server.pem
TLS_DHPARAMS=$run/none
TLS_CACHEFILE=
TLS_TRUSTCERTS=
GAM_CLIENT_ID=taskferry-$$
C
	cat "$run/server.key" "$run/server.crt" >"$run/server.pem"
	chmod 644 "$run/server.pem"
	printf 'authmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=5\nauthdaemonvar=/run/courier/authdaemon\n' \
		>"$run/etc/authdaemonrc"
	printf 'DEBUG_LOGIN=0\nDEFAULTOPTIONS=""\nLOGGEROPTS=""\n' >>"$run/etc/authdaemonrc"
}

# What runs in the namespace. Its shell stays: as the first process of the namespace it takes all others with it when it ends.
write_serve() { # port tls-port
	cat >"$run/serve" <<C
set -e
mount --make-rprivate /
mount --bind "$run/etc" /etc/courier
if [ ! -d /run/courier ]; then
	mount -t tmpfs none /run
	mkdir /run/courier
fi
mount --bind "$run/sockets" /run/courier
cd "$run"
set -a
. "$run/imapd"
set +a
ulimit -n \$(ulimit -H -n)
$authdaemond &
tcpd="$tcpd -address=127.0.0.1 -maxprocs=4000 -maxperip=4000 -nodnslookup -noidentlookup"
\$tcpd $1 "$imaplogin" "$imapd" Maildir &
IMAP_TLS=1 \$tcpd $2 /usr/bin/couriertls -server -tcpd -user=$owner "$imaplogin" "$imapd" Maildir &
wait
C
}

# The words of users as a table with hashed passwords, and their mailboxes. Two databases: what may be seen, and passwords.
write_users() { # file of users
	sed 's/^[^:]*://' "$1" | sort -u >"$run/passwords"
	openssl passwd -1 -salt taskfery -in "$run/passwords" | paste "$run/passwords" - >"$run/hashes"
	awk -F '\t' 'NR == FNR { hash[$1] = $2; next } { at = index($0, ":"); print substr($0, 1, at - 1) "\t" hash[substr($0, at + 1)] }' \
		"$run/hashes" "$1" >"$run/hashed"
	cut -f 1 "$run/hashed" | (cd "$run/mail" && while read -r user; do
		printf '%s\0' "$user/Maildir/cur" "$user/Maildir/new" "$user/Maildir/tmp"
	done | xargs -0 -r mkdir -p -m 700)
	[ "$(id -u)" != 0 ] || chown -R "$owner:$(id -gn "$owner")" "$run/mail"
	cat "$run/hashed" >>"$run/table"
	awk -F '\t' -v id="uid=$(id -u "$owner")|gid=$(id -g "$owner")" -v mail="$run/mail" '
		{ print $1 "\t" id "|home=" mail "/" $1 "|mail=" mail "/" $1 "/Maildir" }
		END { print "." }' "$run/table" | $makedat - "$run/etc/userdb.tmp" "$run/etc/userdb.dat"
	awk -F '\t' '{ print $1 "\tsystempw=" $2 } END { print "." }' "$run/table" |
		(umask 066 && $makedat - "$run/etc/userdbshadow.tmp" "$run/etc/userdbshadow.dat")
}

add_users() {
	sed '/:/!s/$/:secret/' >"$dir/users.added"
	cat "$dir/users.added" >>"$dir/users"
	write_users "$dir/users.added"
	rm "$dir/users.added"
}

answers() { # port
	/usr/bin/python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)
s.settimeout(2)
sys.exit(0 if s.recv(4) == b"* OK" else 1)' "$1" 2>/dev/null && [ -S "$run/sockets/authdaemon/socket" ]
}

# Another process may take a port between the asking and the start: then other ports are tried.
start_once() {
	port=$(free_port) tls_port=$(free_port)
	write_serve "$port" "$tls_port"
	# shellcheck disable=SC2086
	setsid $hasty $namespace sh "$run/serve" </dev/null >>"$dir/log" 2>&1 &
	echo $! >"$run/pid"
	tries=0
	while kill -0 "$(cat "$run/pid")" 2>/dev/null && [ $tries -lt 600 ]; do
		if answers "$port"; then
			echo "imap://127.0.0.1:$port" >"$dir/url"
			echo "imaps://127.0.0.1:$tls_port" >"$dir/tls-url"
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	end_namespace
	return 1
}

start_server() { # users...
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	find_programs
	find_namespace
	choose_haste
	stop_server
	open_run
	copy_certificate
	write_config
	write_user_lines "$dir/users" "$@"
	: >"$run/table"
	write_users "$dir/users"
	for _ in 1 2 3; do
		start_once && return 0
	done
	cat "$dir/log" >&2
	close_run
	fail "the server does not start"
}

# The one that made the namespace ends only by KILL, and with it everything inside.
end_namespace() {
	rm -f "$dir/url" "$dir/tls-url"
	[ -s "$run/pid" ] || return 0
	pid=$(cat "$run/pid")
	rm -f "$run/pid"
	! is_ours "$pid" || kill -KILL "$pid"
	tries=0
	while is_ours "$pid" && [ $tries -lt 50 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}

stop_server() {
	find_run
	end_namespace
	close_run
}

[ $# -ge 2 ] || fail "start|add|stop DIR [USER[:PASSWORD]]..."
command=$1 dir=$2
shift 2
case $command in
start) start_server "$@" ;;
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
