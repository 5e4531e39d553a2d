"""``tailrace policy …``: what network policies do to what was seen."""

import typer

from cli.policy_diff import diff
from cli.policy_explain import explain
from cli.policy_recommend import recommend
from cli.policy_replay import replay

policy = typer.Typer(no_args_is_help=True, help="Network policy against history.", rich_markup_mode=None)
for verb in (replay, recommend, explain, diff):
    policy.command()(verb)
