#!/usr/bin/env bash
# Opens a pull request with what is staged here, or brings the open one of that branch up to date;
# what people have committed there is never overwritten.
#
#   propose.sh BRANCH TEXT [OPTION...]   the first line of the file TEXT is the title; options are
#                                        those of `gh pr create`
#
# In a larger repository the branch has the folder of the project before its name.
set -euo pipefail
folder=$(git rev-parse --show-prefix)
branch=${folder//\//-}$1 text=$2
shift 2
name="github-actions[bot]"
email="41898282+github-actions[bot]@users.noreply.github.com"

gh auth setup-git
seen=$(git ls-remote --heads origin "refs/heads/$branch" | cut -f 1)
if [ -n "$seen" ]; then
    git fetch --quiet origin "$seen"
    if [ "$(git log -1 --format=%ae "$seen")" != "$email" ]; then
        echo "::warning::People have committed to $branch: merge or close its pull request, then run this again."
        exit 0
    fi
    if git diff --cached --quiet "$seen" --; then
        echo "::notice::$branch is as it should be already."
        exit 0
    fi
fi
git switch --quiet --force-create "$branch"
git -c user.name="$name" -c user.email="$email" commit --quiet --no-verify --message "$(head -n 1 "$text")"
git push --quiet --force-with-lease="$branch:$seen" origin "$branch"

body=$(mktemp)
tail -n +3 "$text" > "$body"
open=$(gh pr list --head "$branch" --state open --json number --jq '.[].number')
if [ -n "$open" ]; then
    gh pr edit "$open" --title "$(head -n 1 "$text")" --body-file "$body"
elif ! gh pr create --head "$branch" --title "$(head -n 1 "$text")" --body-file "$body" "$@"; then
    may="Allow GitHub Actions to create and approve pull requests"
    echo "::error::$branch is pushed, but has no pull request. If GitHub permits none: turn on '$may'" \
        "(Settings, Actions, General), or set the secret BOT_TOKEN; then run this again."
    exit 1
fi
