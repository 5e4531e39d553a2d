"""Start Streamlit on our pages, so that nothing it does leaves this machine."""

from pathlib import Path

from viz.about import About

MAIN = Path(__file__).parent / "main.py"

# As flags, so that they hold in any folder, whatever a config.toml or the environment there says.
FLAGS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "logger.hideWelcomeMessage": "true",
    "runner.magicEnabled": "false",
    "server.enableStaticServing": "false",
    "server.fileWatcherType": "none",
    # MB: a set of policies, and nothing else is ever sent.
    "server.maxUploadSize": "4",
    "server.runOnSave": "false",
    "server.showEmailPrompt": "false",
    "theme.baseRadius": "0.6rem",
    "theme.chartCategoricalColors": '["#0d9488", "#6366f1", "#f59e0b", "#94a3b8", "#ec4899", "#84cc16"]',
    "theme.light.primaryColor": "#0f766e",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f3f6f6",
    "theme.light.textColor": "#1b2629",
    "theme.light.borderColor": "#dde5e5",
    "theme.dark.primaryColor": "#2dd4bf",
    "theme.dark.backgroundColor": "#0f1517",
    "theme.dark.secondaryBackgroundColor": "#182023",
    "theme.dark.textColor": "#e4ecec",
    "theme.dark.borderColor": "#2b383c",
}


def run(about: About, address: str, port: int, browser: bool) -> None:
    """Serve until interrupted."""
    from streamlit.web import cli

    flags = FLAGS | {
        "server.address": address,
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
    }
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    cli.main(["run", str(MAIN), *arguments, "--", *about.arguments], standalone_mode=False)
