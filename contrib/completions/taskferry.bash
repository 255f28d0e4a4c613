# taskferry.bash - completion for bash; `make install` puts it to share/bash-completion/completions/taskferry
# The lines `"COMMAND") words=...` agree with gateway/cli/cli_table.c; tests/unit/cli_doc_test.c compares them.

_taskferry_options()
{
	local words=
	case $1 in
	"init") words="" ;;
	"check") words="" ;;
	"doctor") words="--read-only --json" ;;
	"import") words="--project --resources --withdraw --dry-run" ;;
	"publish") words="--all" ;;
	"sync") words="--account --project --full --dry-run" ;;
	"run") words="--takeover" ;;
	"status") words="--json" ;;
	"project list") words="--json" ;;
	"project show") words="--json" ;;
	"project archive") words="" ;;
	"task list") words="--project --resource --json" ;;
	"task show") words="--json" ;;
	"task set") words="" ;;
	"task attach") words="" ;;
	"task detach") words="" ;;
	"task files") words="--output --json" ;;
	"resource list") words="--json" ;;
	"resource show") words="--json" ;;
	"resource set") words="" ;;
	"history") words="--json" ;;
	"revisions") words="--state --json" ;;
	"revision show") words="--json" ;;
	"revision accept") words="--comment" ;;
	"revision reject") words="--comment" ;;
	"revision restore") words="--comment" ;;
	"revision dismiss") words="--comment" ;;
	"queue retry") words="--all" ;;
	"queue") words="--json" ;;
	esac
	printf '%s --help' "$words"
}

# Files, also such with blanks in their names; bash quotes them.
_taskferry_files()
{
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
	compopt -o filenames 2>/dev/null || :
}

_taskferry()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local i=1 command= words=

	COMPREPLY=()
	# --state=lo comes as three words
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	while [ "$i" -lt "$COMP_CWORD" ]; do
		case ${COMP_WORDS[i]} in
		-c) i=$((i + 1)) ;;
		-*) ;;
		*) break ;;
		esac
		i=$((i + 1))
	done
	case $prev in
	-c | --resources | --output)
		_taskferry_files "$cur"
		return
		;;
	--state)
		COMPREPLY=($(compgen -W "losing corrected rejected proposed accepted dismissed" -- "$cur"))
		return
		;;
	--account | --project | --resource | --comment)
		return # what there is stands in the database, or in somebody's head
		;;
	esac
	if [ "$i" -ge "$COMP_CWORD" ]; then
		words="init check doctor import publish sync run status project task resource history revisions revision queue"
		COMPREPLY=($(compgen -W "$words -c -v --help --version" -- "$cur"))
		return
	fi
	command=${COMP_WORDS[i]}
	case $command in
	project) words="list show archive" ;;
	task) words="list show set attach detach files" ;;
	resource) words="list show set" ;;
	revision) words="show accept reject restore dismiss" ;;
	queue) words="retry" ;;
	esac
	if [ -n "$words" ] && [ "$((i + 1))" -eq "$COMP_CWORD" ] && [ "${cur#-}" = "$cur" ]; then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		return
	fi
	if [ -n "$words" ] && [ "$((i + 1))" -lt "$COMP_CWORD" ] && [ "${COMP_WORDS[i + 1]#-}" = "${COMP_WORDS[i + 1]}" ]; then
		command="$command ${COMP_WORDS[i + 1]}"
	fi
	if { [ "$command" = import ] || { [ "$command" = "task attach" ] && [ "$((i + 2))" -lt "$COMP_CWORD" ]; }; } &&
		[ "${cur#-}" = "$cur" ]; then
		_taskferry_files "$cur"
		return
	fi
	COMPREPLY=($(compgen -W "$(_taskferry_options "$command")" -- "$cur"))
}

complete -F _taskferry taskferry
