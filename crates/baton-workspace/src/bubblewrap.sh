# Runs bwrap and tells whether the room was furnished. $1 a file for two lines of its own and $2 the file that lists
# sockets to be hidden, both out of the command's reach, then bwrap with all its arguments, of which the command's first
# is a shell that writes `begun` to descriptor 3. Ends with 125 and words of its own where that was never written: bwrap
# itself would end with 1, as a failing check does. The command has no descriptor of the file: it cannot unsay it.
notes=$1 sockets=$2
shift 2
fail() {
    echo "baton sandbox: $1" >&2
    exit 125
}
exec 3>"$notes" 4<"$notes" || fail 'the folder of the room cannot be written'
ulimit -c 0
# A socket may go while bwrap is about to hide it. As long as nothing began, it can be built again.
for _ in 1 2 3; do
    while read -r socket; do
        # What is below /dev is gone with the old one.
        case $socket in /dev/*) continue ;; esac
        if [ -S "$socket" ]; then
            printf '%s\0%s\0%s\0' --ro-bind /dev/null "$socket"
        fi
    done <"$sockets" >"$notes.mounts"
    "$@" 5<"$notes.mounts"
    code=$?
    read -r begun <&4
    if [ "$begun" = begun ]; then
        exit $code
    fi
done
fail 'bubblewrap could not furnish the room'
