# shellcheck shell=sh disable=SC2154  # dir, run and owner are set by common.sh and its readers
# What servers stand on that are made of several: PostgreSQL, nginx, and background programs. Read by scripts of this folder
# with `.`, after common.sh. Everything stands in $run and belongs to $owner.

not_installed() { # what
	echo "${0##*/}: $1 is not installed" >&2
	exit 77
}

# ---- programs in the background ----

start_part() { # name command...
	part=$1
	shift
	$as env HOME="$run" XDG_CONFIG_HOME="$run" TMPDIR="$run" setsid "$@" </dev/null >"$dir/$part.log" 2>&1 &
	echo $! >"$dir/$part.pid"
}

# Of one that was started a moment ago: it need not have become the program yet whose command line is_ours looks for.
part_runs() { # name
	[ -s "$dir/$1.pid" ] && kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null
}

end_part() { # name
	[ -s "$dir/$1.pid" ] || return 0
	end_process "$(cat "$dir/$1.pid")"
	rm -f "$dir/$1.pid"
}

# A process of ours names a file below run in its command line, or stands there.
is_ours() { # pid
	kill -0 "$1" 2>/dev/null || return 1
	tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | grep -qF "$run" || [ "$(readlink "/proc/$1/cwd")" = "$run" ]
}

wait_for() { # what command...
	what=$1
	shift
	tries=0
	while ! "$@" 2>/dev/null; do
		if [ $tries -ge 600 ]; then
			echo "${0##*/}: no $what after a minute" >&2
			return 1
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
}

# ---- PostgreSQL: its socket stands in $run/pg-socket ----

find_postgres() {
	pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	[ -x "$pg/initdb" ] || not_installed PostgreSQL
}

# Sees neither the caller's folder, which may be closed to it, nor the caller's settings.
as_postgres() { # command...
	(cd "$run" && as_owner env PATH="$pg:$PATH" PGHOST="$run/pg-socket" PGUSER=postgres TMPDIR="$run" LC_ALL=C.UTF-8 "$@")
}

# Nothing in it has to outlive the machine's next crash.
start_postgres() { # option...
	if [ ! -d "$run/pg" ]; then
		as_owner mkdir -p "$run/pg-socket"
		as_postgres initdb -D "$run/pg" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || return 1
	fi
	as_postgres pg_ctl -D "$run/pg" -w -l "$run/pg.log" -o "-c fsync=off -c full_page_writes=off -c synchronous_commit=off \
-c unix_socket_directories=$run/pg-socket $*" start </dev/null >"$dir/pg_ctl.log" 2>&1
}

stop_postgres() {
	[ -s "$run/pg/postmaster.pid" ] || return 0
	choose_owner
	find_postgres
	as_postgres pg_ctl -D "$run/pg" -m immediate -w stop </dev/null >>"$dir/pg_ctl.log" 2>&1 || :
}

# ---- nginx ----

find_nginx() {
	nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx) || not_installed nginx
}

# The configuration, with what stands in the server's braces from standard input. The log: one line per request.
write_nginx() { # port tls(yes|no)
	ssl=
	[ "$2" = no ] || ssl=" ssl http2"
	{
		cat <<C
pid $run/nginx.pid;
error_log $run/nginx-error.log;
worker_processes 1;
daemon off;
events { worker_connections 1024; }
http {
  log_format line '\$remote_user "\$request" \$status \$request_length \$bytes_sent \$connection \$request_time';
  access_log $run/access.log line;
  client_max_body_size 0; keepalive_requests 1000000;
  client_body_temp_path $run/nginx-b; proxy_temp_path $run/nginx-p; fastcgi_temp_path $run/nginx-f;
  uwsgi_temp_path $run/nginx-u; scgi_temp_path $run/nginx-s;
  fastcgi_read_timeout 600; proxy_read_timeout 600;
  server {
    listen 127.0.0.1:$1$ssl;
C
		[ "$2" = no ] || echo "    ssl_certificate $run/server.crt; ssl_certificate_key $run/server.key;"
		cat
		printf '  }\n}\n'
	} >"$run/nginx.conf"
}

# Another process may take the port between the asking and the start: then another one is tried. What stands in the server's
# braces is printed by the function server_block, which is given the port.
start_nginx() { # scheme
	tls=no
	[ "$1" = http ] || tls=yes
	as_owner touch "$run/access.log"
	ln -sfn "$run/access.log" "$dir/log"
	for _ in 1 2 3; do
		port=$(free_port)
		server_block "$port" | write_nginx "$port" "$tls"
		start_part nginx "$nginx" -c "$run/nginx.conf" -e "$run/nginx-error.log"
		tries=0
		while part_runs nginx && [ $tries -lt 600 ]; do
			answers_port "$port" && [ -s "$run/nginx.pid" ] && return 0
			sleep 0.1
			tries=$((tries + 1))
		done
		end_part nginx
	done
	cat "$run/nginx-error.log" "$dir/nginx.log" >&2
	return 1
}

# ---- the commands that all of them have ----

# The script has start_parts (scheme), stop_parts and add_users (from standard input, USER:PASSWORD lines).
run_command() { # command dir users...
	[ $# -ge 2 ] || fail "start|start-tls|add|stop DIR [USER[:PASSWORD]]..."
	command=$1 dir=$2
	shift 2
	case $command in
	start) start_server http "$@" ;;
	start-tls) start_server https "$@" ;;
	add)
		dir=$(cd "$dir" && pwd)
		choose_owner
		find_programs
		find_run
		sed '/:/!s/$/:secret/' | add_users
		;;
	stop)
		[ -d "$dir" ] || exit 0
		dir=$(cd "$dir" && pwd)
		stop_server
		;;
	*) fail "unknown command $command" ;;
	esac
}

start_server() { # scheme users...
	scheme=$1
	shift
	find_programs
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	stop_server
	open_run
	[ "$scheme" = http ] || copy_certificate
	write_user_lines "$dir/users" "$@"
	if start_parts "$scheme" && add_users <"$dir/users"; then
		echo "$scheme://127.0.0.1:$port/" >"$dir/url"
		return 0
	fi
	tail -n 20 "$dir"/*.log "$run"/*.log >&2 || :
	stop_server
	fail "the server does not start"
}

stop_server() {
	rm -f "$dir/url"
	find_run
	stop_parts
	[ ! -L "$dir/log" ] || { rm -f "$dir/log" && cp "$run/access.log" "$dir/log"; }
	close_run
}
