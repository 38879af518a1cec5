# Runs a command where it has no network and can write to two folders only. $1 the tree, $2 the private folder, $3 the
# file that lists sockets to be hidden, $4 the directory to start in, then the command. Runs as the first process of
# namespaces that unshare(1) made; ends with 125 and words of its own when they cannot be furnished.
# -n: no mount is written down anywhere outside.
theirs=$PATH
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
tree=$1 private=$2 sockets=$3 start=$4
shift 4
fail() {
    echo "baton sandbox: $1" >&2
    exit 125
}
session=$(command -v setsid) || fail 'setsid is missing'
privileges=$(command -v setpriv) || fail 'setpriv is missing'
mount -n --bind "$tree" "$tree" || fail 'the tree cannot be mounted'
mount -n --bind "$private" "$private" || fail 'the private folder cannot be mounted'
while read -r socket; do
    if [ -S "$socket" ]; then
        mount -n --bind /dev/null "$socket" || fail "the socket $socket cannot be hidden"
    fi
done <"$sockets"
while read -r _ _ _ _ point options _; do
    point=$(printf '%b' "$point")
    case $point in "$tree" | "$private") continue ;; esac
    kept=
    for flag in nosuid nodev noexec noatime nodiratime relatime; do
        case ,$options, in *,$flag,*) kept=$kept,$flag ;; esac
    done
    mount -n -o "remount,bind,ro$kept" "$point" 2>/dev/null && continue
    case ,$options, in *,ro,*) ;; *) fail "$point cannot be made read-only" ;; esac
done </proc/self/mountinfo
for hidden in /run /dev/shm; do
    if [ -d "$hidden" ]; then
        mount -n -t tmpfs -o nosuid,nodev,size=64m baton "$hidden" || fail "$hidden cannot be hidden"
    fi
done
cd "$start" || fail 'there is no such directory'
ulimit -c 0
PATH=$theirs
# No exec: this shell stays to collect what the command leaves behind, and ends the namespace with it.
"$session" "$privileges" --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
exit $?
