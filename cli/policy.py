"""``tailrace policy …``: what network policies do to what was seen."""

import typer

from cli.policy_recommend import recommend
from cli.policy_replay import replay

policy = typer.Typer(no_args_is_help=True, help="Network policy against history.", rich_markup_mode=None)
policy.command()(replay)
policy.command()(recommend)
