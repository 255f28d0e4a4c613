#!/bin/sh
# A throwaway DAViCal on loopback: PostgreSQL, php-fpm and nginx, all of its own.
#
#   davical.sh start DIR [USER[:PASSWORD]]...       http;  default user "ana", default password "secret"
#   davical.sh start-tls DIR [USER[:PASSWORD]]...   https; certificate for localhost and 127.0.0.1, by a CA made for it
#   davical.sh add DIR <USERS                       more users of a running server, USER[:PASSWORD] a line
#   davical.sh stop DIR                             harmless when repeated
#
# DIR is made; afterwards it holds url, log (one line per request with user, method and path), users, run/ (its state), and
# with TLS ca.pem and other-ca.pem (a CA that has nothing to do with the server). Users stand below /caldav.php/USER/; there
# is an administrator "admin" with the password "secret". Exit 77: something of it is not installed; 1: no start.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/servers/parts.sh
. "$(dirname "$0")/parts.sh"

find_programs() {
	[ -r /usr/share/davical/dba/create-database.sh ] && [ -d /usr/share/awl/inc ] || not_installed DAViCal
	fpm=$(ls /usr/sbin/php-fpm[0-9]* 2>/dev/null | sort -V | tail -n 1)
	[ -n "$fpm" ] || not_installed php-fpm
	find_postgres
	find_nginx
}

# DAViCal looks for its configuration by the server's name: server_block gives it one that leads here.
write_config() {
	cat >"$run/davical-conf.php" <<P
<?php
\$_SERVER['SERVER_NAME'] = 'localhost';
\$c->domain_name = 'localhost';
\$c->use_persistent = true; // a connection per request costs PostgreSQL four times what the request itself does
\$c->pg_connect[] = "host=$run/pg-socket dbname=davical user=davical_app";
\$c->system_name = "throwaway";
\$c->admin_email = 'admin@localhost';
\$c->default_locale = "en";
\$c->readonly_webdav_collections = false;
\$c->enable_auto_schedule = false;
P
	cat >"$run/fpm.conf" <<C
[global]
error_log = $run/fpm-error.log
daemonize = no
[www]
listen = $run/fpm.sock
pm = static
pm.max_children = 4
php_admin_value[include_path] = /usr/share/awl/inc:/usr/share/davical/inc
php_admin_value[error_reporting] = 0
php_admin_value[memory_limit] = 1024M
php_admin_value[max_execution_time] = 600
C
}

server_block() { # port
	cat <<C
    root /usr/share/davical/htdocs;
    location /caldav.php {
      include /etc/nginx/fastcgi_params; fastcgi_split_path_info ^(/caldav\.php)(/.*)?\$;
      fastcgi_param SERVER_NAME ../..$run/davical;
      fastcgi_param PATH_INFO \$fastcgi_path_info; fastcgi_param SCRIPT_NAME \$fastcgi_script_name;
      fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name; fastcgi_pass unix:$run/fpm.sock;
    }
    location = /.well-known/caldav { return 301 \$scheme://\$http_host/caldav.php/; }
C
}

# Passwords in the clear, in DAViCal's own form.
add_users() {
	sed "s/'/''/g; s/\([^:]*\):\(.*\)/\
INSERT INTO usr(active,username,password,fullname,email,joined) VALUES(true,'\1','**\2','\1','\1@localhost',now());\
INSERT INTO principal(type_id,user_no,displayname,default_privileges) SELECT 1,user_no,fullname,0::bit(24) FROM usr WHERE username='\1';/" |
		as_postgres psql -qX -v ON_ERROR_STOP=1 davical
}

start_parts() { # scheme
	fresh=yes
	[ ! -d "$run/pg" ] || fresh=no
	start_postgres "-c listen_addresses=''" || return 1
	if [ $fresh = yes ]; then
		as_postgres sh /usr/share/davical/dba/create-database.sh davical secret >"$dir/create.log" 2>&1 || return 1
	else
		: >"$dir/users" # they are there
	fi
	write_config
	start_part fpm "$fpm" -y "$run/fpm.conf"
	start_nginx "$1" && wait_for "socket of php-fpm" test -S "$run/fpm.sock"
}

stop_parts() {
	end_part nginx
	end_part fpm
	stop_postgres
}

run_command "$@"
