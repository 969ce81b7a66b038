"""`trader gateway`: the simulated TWS gateway alone. Its options are the simulator's own, handed on as they are."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the subcommand of this file."""
    app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
        gateway
    )


def gateway(context: typer.Context) -> None:
    """Run the simulated TWS gateway and its prediction service alone (`trader gateway --help`)."""
    from runtime.stack.gateway import run_gateway

    raise typer.Exit(run_gateway(context.args))
