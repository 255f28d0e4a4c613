#!/bin/sh
# A throwaway Apache on loopback, for logins other than by password: https, certificate for localhost and 127.0.0.1.
#
#   web.sh start DIR
#   web.sh stop DIR      harmless when repeated
#
# Folders that take PUT, GET and DELETE: /open/; /digest/ and /basic/ for ana, "secret"; /cert/ for client.pem (with its
# key), but not for other-client.pem, which is of other-ca.pem. DIR is made; afterwards it holds url, pid, log, ca.pem,
# other-ca.pem, these two certificates, and pin: the server's public key as sha256//BASE64. Exit 77: not installed.
set -eu

# shellcheck source=tests/servers/common.sh
. "$(dirname "$0")/common.sh"

modules=/usr/lib/apache2/modules

is_ours() {
	names_file "$1" "$dir/config"
}

make_client() { # name ca
	[ -s "$dir/$1.pem" ] && return 0
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$dir/$1.key" \
		-out "$dir/$1.csr" 2>/dev/null || fail "openssl makes no key"
	printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n' >"$dir/$1.ext"
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/$2.pem" -CAkey "$dir/$2.key" -CAcreateserial -days 30 \
		-extfile "$dir/$1.ext" -out "$dir/$1.crt" 2>/dev/null || fail "openssl makes no certificate"
	cat "$dir/$1.crt" "$dir/$1.key" >"$dir/$1.pem"
}

write_passwords() {
	hash=$(printf 'ana:here:secret' | openssl md5 -r | cut -d' ' -f1)
	echo "ana:here:$hash" >"$tree/.digest"
	echo "ana:$(openssl passwd -apr1 secret)" >"$tree/.basic"
	openssl x509 -in "$dir/server.crt" -noout -pubkey | openssl pkey -pubin -outform DER |
		openssl dgst -sha256 -binary | openssl base64 | sed 's,^,sha256//,' >"$dir/pin"
}

write_config() { # port
	cat >"$dir/config" <<C
ServerName localhost
ServerRoot $dir
Listen 127.0.0.1:$1
PidFile $dir/pid
ErrorLog $dir/log
DefaultRuntimeDir $dir
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
$(for module in mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest dav dav_fs ssl setenvif; do
		echo "LoadModule ${module}_module $modules/mod_$module.so"
	done)
User nobody
Group nogroup
DocumentRoot $tree
DavLockDB $tree/.lock
SSLEngine On
SSLCertificateFile $dir/server.crt
SSLCertificateKeyFile $dir/server.key
SSLCACertificateFile $dir/ca.pem
SSLVerifyClient optional_no_ca
SSLSessionCache none
<Directory $tree>
	Dav On
</Directory>
<Location /basic/>
	AuthType Basic
	AuthName here
	AuthUserFile $tree/.basic
	Require valid-user
</Location>
<Location /digest/>
	AuthType Digest
	AuthName here
	AuthUserFile $tree/.digest
	Require valid-user
</Location>
<Location /cert/>
	Require expr %{SSL_CLIENT_VERIFY} == 'SUCCESS'
</Location>
C
}

start_once() {
	port=$(free_port)
	write_config "$port"
	: >"$dir/log"
	/usr/sbin/apache2 -f "$dir/config" </dev/null >>"$dir/log" 2>&1 || return 1
	tries=0
	while [ $tries -lt 600 ]; do
		if [ -s "$dir/pid" ] && /usr/bin/python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()' "$port" 2>/dev/null; then
			echo "https://127.0.0.1:$port/" >"$dir/url"
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	stop_server
	return 1
}

# Started by root, Apache serves as nobody, who may not be allowed to look into DIR.
make_tree() {
	tree=$dir/tree
	mkdir -p "$tree"
	if [ "$(id -u)" = 0 ]; then
		tree=$(mktemp -d /tmp/taskferry-web.XXXXXX)
		echo "$tree" >"$dir/elsewhere"
	fi
	write_passwords
	mkdir -p "$tree/open" "$tree/digest" "$tree/basic" "$tree/cert"
	[ "$(id -u)" != 0 ] || chown -R nobody "$tree"
}

start_server() {
	if [ ! -x /usr/sbin/apache2 ] || [ ! -e "$modules/mod_auth_digest.so" ]; then
		echo "web.sh: Apache is not installed" >&2
		exit 77
	fi
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	stop_server
	make_certificate
	make_client client ca
	make_client other-client other-ca
	make_tree
	for _ in 1 2 3; do
		start_once && return 0
	done
	cat "$dir/log" >&2
	fail "the server does not start"
}

stop_server() {
	[ -s "$dir/pid" ] || return 0
	pid=$(cat "$dir/pid")
	rm -f "$dir/url"
	end_process "$pid"
	rm -f "$dir/pid"
	[ ! -s "$dir/elsewhere" ] || rm -rf "$(cat "$dir/elsewhere")"
	rm -f "$dir/elsewhere"
}

[ $# -ge 2 ] || fail "start|stop DIR"
command=$1 dir=$2
case $command in
start) start_server ;;
stop)
	[ -d "$dir" ] || exit 0
	dir=$(cd "$dir" && pwd)
	stop_server
	;;
*) fail "unknown command $command" ;;
esac
