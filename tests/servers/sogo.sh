#!/bin/sh
# A throwaway SOGo on loopback: PostgreSQL, memcached and sogod, all of its own.
#
#   sogo.sh start DIR [USER[:PASSWORD]]...       http, sogod itself; default user "ana", default password "secret"
#   sogo.sh start-tls DIR [USER[:PASSWORD]]...   https, nginx before it as its manual has it; certificate for localhost and
#                                                127.0.0.1, by a CA made for it
#   sogo.sh add DIR <USERS                       more users of a running server, USER[:PASSWORD] a line
#   sogo.sh stop DIR                             harmless when repeated
#
# DIR is made; afterwards it holds url, log (one line per request with method and path), users, run/ (its state), and with
# TLS ca.pem and other-ca.pem (a CA that has nothing to do with the server). Calendars stand below
# /SOGo/dav/USER/Calendar/. sogod reads /etc/sogo/sogo.conf and no other file, so it gets a mount namespace in which that is
# its own: root can make one, others by a user namespace. Exit 77: something of it is not installed, or no namespace can be
# had; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/servers/parts.sh
. "$(dirname "$0")/parts.sh"

find_programs() {
	sogod=$(PATH=$PATH:/usr/sbin:/sbin command -v sogod) || not_installed SOGo
	[ -d /etc/sogo ] || not_installed "SOGo's /etc/sogo"
	command -v memcached >/dev/null || not_installed memcached
	find_postgres
	[ "$command" != start-tls ] || find_nginx
	[ "$(id -u)" = 0 ] || unshare -Urm true 2>/dev/null || {
		echo "sogo.sh: SOGo reads only /etc/sogo/sogo.conf; putting another file there takes root or user namespaces" >&2
		exit 77
	}
}

write_config() { # port postgres-port words-before-sogod
	database=postgresql://sogo:sogo@127.0.0.1:$2/sogo
	as_owner mkdir -p "$run/etc" "$run/spool"
	cat >"$run/etc/sogo.conf" <<C
{
  SOGoProfileURL = "$database/sogo_user_profile"; OCSFolderInfoURL = "$database/sogo_folder_info";
  OCSSessionsFolderURL = "$database/sogo_sessions_folder"; OCSEMailAlarmsFolderURL = "$database/sogo_alarms_folder";
  OCSStoreURL = "$database/sogo_store"; OCSAclURL = "$database/sogo_acl"; OCSCacheFolderURL = "$database/sogo_cache_folder";
  SOGoUserSources = ( { type = sql; id = users; viewURL = "$database/sogo_users"; canAuthenticate = YES;
    isAddressBook = NO; userPasswordAlgorithm = plain; } );
  SOGoTimeZone = UTC; SOGoMailDomain = localhost; SOGoMemcachedHost = "$run/memcached.sock"; SOGoMailSpoolPath = "$run/spool";
  SOGoMaximumFailedLoginCount = 0; SOGoMaximumRequestCount = 0; SxVMemLimit = 2048; WOWatchDogRequestTimeout = 60;
  WOPort = "127.0.0.1:$1"; WOWorkersCount = 4; WOMessageUseUTF8 = YES; WOUseRelativeURLs = NO;
}
C
	# In the namespace: the folder mounted, then the owner's own number again, as sogod does not run as root.
	cat >"$run/sogod.sh" <<C
mount --bind $run/etc /etc/sogo || exit
cd $run
exec $3 $sogod -WONoDetach YES -WOPidFile $run/sogo.pid -WOLogFile -
C
}

server_block() { # port
	cat <<C
    location = /.well-known/caldav { return 301 \$scheme://\$http_host/SOGo/dav/; }
    location / {
      proxy_pass http://127.0.0.1:$sogo_port; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host \$http_host; proxy_set_header x-webobjects-server-protocol HTTP/1.0;
      proxy_set_header x-webobjects-remote-host 127.0.0.1; proxy_set_header x-webobjects-server-name localhost;
      proxy_set_header x-webobjects-server-url https://\$http_host; proxy_set_header x-webobjects-server-port $1;
    }
C
}

add_users() {
	sed "s/'/''/g; s/\([^:]*\):\(.*\)/INSERT INTO sogo_users VALUES('\1','\1','\2','\1','\1@localhost') ON CONFLICT DO NOTHING;/" |
		as_postgres psql -qX -v ON_ERROR_STOP=1 -p "$(cat "$run/pg-port")" -U sogo sogo
}

make_database() {
	as_postgres psql -qX -p "$1" postgres <<C && as_postgres psql -qX -p "$1" -U sogo sogo <<D
CREATE USER sogo PASSWORD 'sogo';
CREATE DATABASE sogo OWNER sogo;
C
CREATE TABLE sogo_users(c_uid varchar(64) primary key, c_name varchar(64), c_password varchar(64), c_cn varchar(128),
	mail varchar(128));
D
}

# Another process may take a port between the asking and the start: then other ports are tried.
start_database() {
	fresh=yes
	[ ! -d "$run/pg" ] || fresh=no
	for _ in 1 2 3; do
		pg_port=$(free_port)
		echo "$pg_port" >"$run/pg-port"
		start_postgres "-c port=$pg_port -c listen_addresses=127.0.0.1" && break
	done
	[ $fresh = no ] || make_database "$pg_port"
}

start_sogod() {
	sogo_port=$(free_port)
	if [ "$(id -u)" = 0 ]; then
		write_config "$sogo_port" "$pg_port" "$as"
		set -- unshare -m --propagation private
	else
		write_config "$sogo_port" "$pg_port" "unshare -U --map-user=$(id -u) --map-group=$(id -g)"
		set -- unshare -Urm
	fi
	HOME=$run TMPDIR=$run setsid "$@" sh "$run/sogod.sh" </dev/null >"$run/access.log" 2>&1 &
	echo $! >"$dir/sogod.pid"
	tries=0
	while part_runs sogod && [ $tries -lt 600 ]; do
		grep -q "we are ready" "$run/access.log" && answers_port "$sogo_port" && return 0
		sleep 0.1
		tries=$((tries + 1))
	done
	end_part sogod
	return 1
}

start_parts() { # scheme
	start_database || return 1
	start_part memcached memcached -s "$run/memcached.sock" -m 64
	start_sogod || start_sogod || return 1
	if [ "$1" = https ]; then
		mv "$run/access.log" "$run/sogod.log"
		start_nginx https
	else
		port=$sogo_port
		ln -sfn "$run/access.log" "$dir/log"
	fi
}

stop_parts() {
	end_part nginx
	end_part sogod
	end_part memcached
	stop_postgres
}

run_command "$@"
