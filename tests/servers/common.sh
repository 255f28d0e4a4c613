# shellcheck shell=sh disable=SC2154  # dir is set by the reader
# What the scripts of this folder share; read by them with `.`, never run. They set dir, the server's own directory, and
# is_ours, which tells whether a process is the server that was started for it.

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# One that nobody listens at, out of those that the kernel gives to no outgoing connection: a server that is stopped and
# started again finds its port as it left it, whatever else runs on the machine.
free_port() {
	/usr/bin/python3 -c 'import random, socket
with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
    first = int(file.read().split()[0])
for _ in range(1000):
    port = random.randrange(10000, first) if first > 12000 else 0
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
else:
    raise SystemExit("no free port")'
}

make_ca() { # name
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=taskferry test CA $1" \
		-keyout "$dir/$1.key" -out "$dir/$1.pem" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null || fail "openssl makes no CA"
}

# For localhost, 127.0.0.1 and $CERTIFICATE_NAME, by ca.pem; other-ca.pem has nothing to do with the server.
make_certificate() {
	[ -s "$dir/server.crt" ] && return 0
	make_ca ca
	make_ca other-ca
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
		-keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null || fail "openssl makes no key"
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' \
		"${CERTIFICATE_NAME:+,DNS:$CERTIFICATE_NAME}" >"$dir/server.ext"
	openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
		-extfile "$dir/server.ext" -out "$dir/server.crt" 2>/dev/null || fail "openssl makes no certificate"
	chmod 644 "$dir/server.key" # a throwaway key, which the server's own user must be able to read
}

# A process whose command line names that file: a pid may have been given to another one since.
names_file() { # pid file
	kill -0 "$1" 2>/dev/null && tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | grep -qxF "$2"
}

# TERM, and KILL after twenty seconds: what a server that is killed had started may live on.
end_process() { # pid
	is_ours "$1" || return 0
	kill -TERM "$1"
	tries=0
	while is_ours "$1"; do
		[ $tries -lt 200 ] || kill -KILL "$1" 2>/dev/null || :
		sleep 0.1
		tries=$((tries + 1))
	done
}

# ---- packages that are unpacked, not installed ----

# Where contrib/install-packages has put one; without an answer it is nowhere.
find_unpacked() { # package
	for unpacked in "${TASKFERRY_UNPACKED:-}" "${XDG_CACHE_HOME:-${HOME:-/}/.cache}/taskferry-check" /var/cache/taskferry-check; do
		if [ -n "$unpacked" ] && [ -s "$unpacked/$1/.version" ]; then
			echo "$unpacked/$1"
			return 0
		fi
	done
}

# ---- speed ----

# Sets hasty, the words before a server that may lose what it has written when the machine crashes, and none where the
# library for that is not installed.
# shellcheck disable=SC2034  # read by the readers
choose_haste() {
	hasty=
	for library in /usr/lib/*/libeatmydata.so; do
		[ ! -e "$library" ] || hasty="env LD_PRELOAD=$library"
	done
}

# ---- servers that will not run as root ----

# Sets owner, the user that the server runs as: the one that started it, but nobody in root's place; and as, the words before
# a command that is to run as the owner (a process in the background is then the command's own, no shell's).
choose_owner() {
	owner=$(id -un) as=
	if [ "$(id -u)" = 0 ]; then
		owner=nobody
		as="setpriv --reuid=$owner --regid=$(id -gn $owner) --clear-groups"
	fi
}

as_owner() { # command...
	$as "$@"
}

# A new folder that any user can get into; in memory where DIR is.
make_open_folder() { # name
	case $dir in
	/dev/shm/*) mktemp -d "/dev/shm/taskferry-$1.XXXXXX" ;;
	*) mktemp -d "/tmp/taskferry-$1.XXXXXX" ;;
	esac
}

longest_dir=70 # characters, so that the names of sockets below it fit into 107

# Sets run, where the server's state stands: DIR/run, which is a link to a folder in /tmp or /dev/shm while the server runs,
# where its owner cannot get into DIR (root's private folder) or DIR's name is too long for sockets.
open_run() {
	choose_owner
	[ ! -L "$dir/run" ] || close_run
	mkdir -p "$dir/run"
	run=$dir/run
	if [ "$(id -u)" = 0 ] || [ ${#dir} -gt $longest_dir ]; then
		name=${0##*/}
		run=$(make_open_folder "${name%.sh}")
		mv "$dir/run" "$run/run"
		ln -s "$run/run" "$dir/run"
		chmod 711 "$run"
		run=$run/run
		[ "$(id -u)" != 0 ] || chown -R "$owner:$(id -gn "$owner")" "$run"
	fi
}

close_run() {
	[ -L "$dir/run" ] || return 0
	run=$(readlink "$dir/run")
	rm -f "$dir/run"
	[ ! -d "$run" ] || mv "$run" "$dir/run"
	rmdir "${run%/run}" 2>/dev/null || :
}

# Sets run as it is now, whether or not the server runs.
find_run() {
	run=$dir/run
	[ ! -L "$run" ] || run=$(readlink "$run")
}

# The files of a certificate, where the owner can read them.
copy_certificate() {
	make_certificate
	cp "$dir/server.crt" "$dir/server.key" "$run/"
	chmod 644 "$run/server.crt" "$run/server.key"
}

# ---- users ----

# From the words USER[:PASSWORD]... a file of USER:PASSWORD lines.
write_user_lines() { # file users...
	file=$1
	shift
	[ $# -gt 0 ] || set -- ana
	printf '%s\n' "$@" | sed '/:/!s/$/:secret/' >"$file"
}

answers_port() { # port
	/usr/bin/python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()' "$1" 2>/dev/null
}
