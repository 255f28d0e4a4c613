#!/bin/sh
# A throwaway Dovecot on loopback: plain (with STARTTLS) and TLS, certificate for localhost and 127.0.0.1.
#
#   dovecot.sh start DIR [USER[:PASSWORD]]...   default user "ana", default password "secret"
#   dovecot.sh stop DIR                         harmless when repeated
#
# DIR is made; afterwards it holds url (imap://127.0.0.1:PORT), tls-url (imaps://...), ca.pem, other-ca.pem (a CA that has
# nothing to do with the server), users (a line may be added at any time), log, mail/USER. A master user "gate" (password
# "gatekey") logs in as anybody: `USER*gate`. Where the mail's user cannot get into DIR (root's private folder), or DIR's
# name is too long for sockets, mail and sockets stand in a folder of their own in /tmp (/dev/shm where DIR is there) until
# `stop`, which brings the mail back.
#
# Environment: DOVECOT_LAYOUT maildir (Maildir++, default) | fs | sdbox; DOVECOT_SEP "." (default with maildir) | "/";
# DOVECOT_FSYNC never (default) | optimized | always; DOVECOT_HIBERNATE seconds (default: none);
# DOVECOT_LOG_WRITES=yes: the log has a line for everything that is stored, flagged, removed or created;
# DOVECOT_IDLE_CHECK seconds (default 2): how often a mailbox is looked at that has no inotify any more (Linux gives one
# user 128 instances: later sessions go without); DOVECOT_UIDS as root: the users have that many different numbers, so that
# all sessions have inotify (default 1);
# DOVECOT_PORT, DOVECOT_TLS_PORT (default: free ones; a restart in the same DIR keeps the last ones).
# DOVECOT_AUTH=all: also SCRAM-SHA-256, OAUTHBEARER, XOAUTH2 and EXTERNAL; DIR then holds, for the first user, client.pem (a
# certificate with its key) and token (a bearer token), and other-token (of an unknown issuer); COMPRESS is offered too.
# DOVECOT_PLUGINS=yes: METADATA, ACL and QUOTA are offered, and each user has room for DOVECOT_QUOTA (KiB, or with a unit; default 1M).
# Exit 77: Dovecot is not installed; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"

is_ours() {
	names_file "$1" "$dir/dovecot.conf"
}

layout=${DOVECOT_LAYOUT:-maildir}
longest=70 # characters of DIR, so that run/base/login/login-notify and the like fit into the 107 of a socket's name

write_users() {
	[ $# -gt 0 ] || set -- ana
	for user; do
		case $user in
		*:*) printf '%s::::::\n' "$user" ;;
		*) printf '%s:secret::::::\n' "$user" ;;
		esac
	done >"$dir/users"
	echo 'gate:gatekey' >"$dir/master"
}

# Users in turn get numbers of their own, in the fields of the file of users.
spread_users() { # how many numbers
	awk -F: -v OFS=: -v first="$uid" -v many="$1" '{ $3 = $4 = first + NR % many; print }' "$dir/users" >"$dir/users.new"
	mv "$dir/users.new" "$dir/users"
	while IFS=: read -r user _ number _; do
		mkdir -p "$dir/mail/$user"
		chown "$number:$number" "$dir/mail/$user"
	done <"$dir/users"
}

# As root the mail belongs to a number that nobody has; as an ordinary user everything is the user's own.
ids() {
	if [ "$(id -u)" = 0 ]; then
		uid=10001 gid=10001 internal=dovecot login=dovenull
	else
		uid=$(id -u) gid=$(id -g) internal=$(id -un) login=$(id -un)
	fi
}

has_plugins() {
	[ "${DOVECOT_PLUGINS:-}" = yes ]
}

# Rights are kept beside the mail, sums in its index.
plugins() {
	has_plugins || return 0
	echo "mail_plugins = \$mail_plugins acl quota"
	echo 'mail_attribute_dict = file:%h/dovecot-attributes'
	echo 'plugin {'
	echo '  acl = vfile'
	echo '  quota = count:account'
	echo '  quota_vsizes = yes'
	echo "  quota_rule = *:storage=${DOVECOT_QUOTA:-1M}"
	echo '  quota_grace = 0'
	echo '}'
}

log_writes() {
	[ "${DOVECOT_LOG_WRITES:-}" = yes ] || return 0
	echo "mail_plugins = \$mail_plugins notify mail_log"
	echo 'plugin {'
	echo '  mail_log_events = delete undelete expunge save copy mailbox_create mailbox_delete mailbox_rename flag_change'
	echo '  mail_log_fields = uid box msgid'
	echo '}'
}

auth_all() {
	[ "${DOVECOT_AUTH:-}" = all ] || return 0
	echo "ssl_ca = <$dir/ca.pem"
	echo 'ssl_verify_client_cert = yes'
	echo 'ssl_require_crl = no'
	echo 'auth_ssl_username_from_cert = yes'
	echo 'ssl_cert_username_field = commonName'
}

auth_tokens() {
	[ "${DOVECOT_AUTH:-}" = all ] || return 0
	echo 'passdb {'
	echo '  driver = oauth2'
	echo '  mechanisms = oauthbearer xoauth2'
	echo "  args = $dir/oauth2.conf"
	echo '}'
	echo 'passdb {'
	echo '  driver = static'
	echo '  mechanisms = external'
	echo '  args = nopassword'
	echo '}'
}

# A certificate and tokens for the first user.
make_logins() {
	[ "${DOVECOT_AUTH:-}" = all ] || return 0
	IFS=: read -r first _ <"$dir/users"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$first" \
		-keyout "$dir/client.key" -out "$dir/client.csr" 2>/dev/null || fail "openssl makes no key"
	printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n' >"$dir/client.ext"
	openssl x509 -req -in "$dir/client.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
		-extfile "$dir/client.ext" -out "$dir/client.crt" 2>/dev/null || fail "openssl makes no certificate"
	cat "$dir/client.crt" "$dir/client.key" >"$dir/client.pem"
	mkdir -p "$dir/keys/default/HS256"
	/usr/bin/python3 - "$dir" "$first" <<'P'
import base64, hmac, json, secrets, sys, time
directory, user = sys.argv[1:]
def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
def token(key):
    now = int(time.time())
    head, body = {"alg": "HS256", "typ": "JWT"}, {"sub": user, "iat": now - 60, "nbf": now - 60, "exp": now + 86400}
    text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(body).encode())
    return text + "." + b64(hmac.digest(key, text.encode(), "sha256"))
key = secrets.token_bytes(32)
for name, text in (("keys/default/HS256/default", base64.b64encode(key).decode()), ("token", token(key)),
                   ("other-token", token(secrets.token_bytes(32)))):
    with open(f"{directory}/{name}", "w") as file:
        file.write(text + "\n")
P
	printf '%s\n' 'introspection_mode = local' "local_validation_key_dict = fs:posix:prefix=$dir/keys/" 'username_attribute = sub' \
		>"$dir/oauth2.conf"
	chmod -R go+rX "$dir/keys"
}

as_mail_user() { # command...
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"
	else
		"$@"
	fi
}

# Sets run, where mail and sockets stand.
open_run() {
	run=$dir
	mkdir -p "$dir/mail"
	if [ ${#dir} -gt $longest ] || ! as_mail_user test -x "$dir/mail"; then
		run=$(make_open_folder dovecot)
		chmod 711 "$run"
		mv "$dir/mail" "$run/mail"
		ln -s "$run/mail" "$dir/mail"
	fi
	ln -sfn "$run" "$dir/run"
	[ "$(id -u)" != 0 ] || chown "$uid:$gid" "$run/mail"
}

close_run() {
	run=$(readlink "$dir/run") || return 0
	rm -f "$dir/run"
	[ "$run" != "$dir" ] || return 0
	rm -f "$dir/mail"
	mv "$run/mail" "$dir/mail"
	rm -rf "$run"
}

write_config() { # port tls-port
	case $layout in
	maildir) location='maildir:~/Maildir' separator=${DOVECOT_SEP:-.} ;;
	fs) location='maildir:~/Maildir:LAYOUT=fs' separator=${DOVECOT_SEP:-/} ;;
	sdbox) location='sdbox:~/sdbox' separator=${DOVECOT_SEP:-/} ;;
	*) fail "unknown DOVECOT_LAYOUT $layout" ;;
	esac
	cat >"$dir/dovecot.conf" <<C
base_dir = $run/base
state_dir = $dir/state
log_path = $dir/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <$dir/server.crt
ssl_key = <$dir/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login$([ "${DOVECOT_AUTH:-}" != all ] || echo ' scram-sha-256 oauthbearer xoauth2 external')
$(auth_all)
auth_master_user_separator = *
default_internal_user = $internal
default_internal_group = $(id -gn "$internal")
default_login_user = $login
first_valid_uid = $uid
first_valid_gid = $gid
mailbox_idle_check_interval = ${DOVECOT_IDLE_CHECK:-2}s
mail_location = $location
mailbox_list_index = yes
mail_max_userip_connections = 5000
mail_fsync = ${DOVECOT_FSYNC:-never}
$(plugins)
$(log_writes)
protocol imap {
$(! has_plugins || printf '%s\n' "  mail_plugins = \$mail_plugins imap_acl imap_quota" "  imap_metadata = yes")
$([ "${DOVECOT_AUTH:-}" != all ] || echo "  mail_plugins = \$mail_plugins imap_zlib")
$([ -z "${DOVECOT_HIBERNATE:-}" ] || echo "  imap_hibernate_timeout = $DOVECOT_HIBERNATE")
}
$(auth_tokens)
passdb {
  driver = passwd-file
  args = scheme=PLAIN $dir/master
  master = yes
  result_success = continue
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u $dir/users
}
userdb {
  driver = passwd-file
  args = username_format=%u $dir/users
  default_fields = uid=$uid gid=$gid home=$run/mail/%u
}
namespace inbox {
  inbox = yes
  type = private
  prefix =
  separator = $separator
}
default_process_limit = 4096
default_client_limit = 8192
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  client_limit = 8192
  inet_listener imap {
    port = $1
  }
  inet_listener imaps {
    port = $2
  }
}
service imap {
  process_limit = 4096
}
service anvil {
  chroot =
  client_limit = 20000
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
  unix_listener stats-writer {
    mode = 0666
  }
}
service imap-hibernate {
  unix_listener imap-hibernate {
    mode = 0666
  }
}
service auth {
  client_limit = 20000
  user = $(id -un)
}
service auth-worker {
  user = $(id -un)
}
C
}

answers() { # port
	/usr/bin/python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)
s.settimeout(2)
sys.exit(0 if s.recv(4) == b"* OK" else 1)' "$1" 2>/dev/null
}

# Another process may take a port between the asking and the start: then other ports are tried.
start_once() {
	port=${DOVECOT_PORT:-} tls_port=${DOVECOT_TLS_PORT:-}
	if [ -z "$port" ] && [ -s "$dir/ports" ]; then
		read -r port tls_port <"$dir/ports"
	fi
	[ -n "$port" ] || port=$(free_port)
	[ -n "$tls_port" ] || tls_port=$(free_port)
	write_config "$port" "$tls_port"
	rm -rf "$run/base"
	"$dovecot" -c "$dir/dovecot.conf" </dev/null >>"$dir/start.log" 2>&1 || return 1
	tries=0
	while [ $tries -lt 600 ]; do
		if answers "$port"; then
			echo "$port $tls_port" >"$dir/ports"
			echo "imap://127.0.0.1:$port" >"$dir/url"
			echo "imaps://127.0.0.1:$tls_port" >"$dir/tls-url"
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	end_master
	return 1
}

start_server() {
	dovecot=$(PATH=$PATH:/usr/sbin:/sbin command -v dovecot) || {
		echo "dovecot.sh: Dovecot is not installed" >&2
		exit 77
	}
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	stop_server
	ids
	mkdir -p "$dir/state"
	chmod 755 "$dir"
	open_run
	[ -s "$dir/users" ] && [ $# -eq 0 ] || write_users "$@"
	[ "$(id -u)" != 0 ] || [ "${DOVECOT_UIDS:-1}" -le 1 ] || spread_users "$DOVECOT_UIDS"
	make_certificate
	make_logins
	again=0 patience=20
	while [ $again -lt 3 ]; do
		start_once && return 0
		if [ -s "$dir/ports" ] && [ $patience -gt 0 ]; then
			patience=$((patience - 1)) # the old server's processes may hold its ports for longer than its master lives
			sleep 1
		else
			[ ! -s "$dir/ports" ] || echo "dovecot.sh: not on its old ports: $(tail -n 2 "$dir/start.log")" >&2
			rm -f "$dir/ports"
			again=$((again + 1))
		fi
	done
	cat "$dir/start.log" "$dir/log" >&2 || :
	close_run
	fail "the server does not start"
}

end_master() {
	[ -s "$dir/run/base/master.pid" ] || return 0
	pid=$(cat "$dir/run/base/master.pid")
	is_ours "$pid" || return 0
	end_process "$pid"
	rm -f "$dir/run/base/master.pid"
}

stop_server() {
	rm -f "$dir/url" "$dir/tls-url"
	end_master
	close_run
}

[ $# -ge 2 ] || fail "start|stop DIR [USER[:PASSWORD]]..."
command=$1 dir=$2
shift 2
case $command in
start) start_server "$@" ;;
stop)
	[ -d "$dir" ] || exit 0
	dir=$(cd "$dir" && pwd)
	stop_server
	;;
*) fail "unknown command $command" ;;
esac
