"""Gradio's own parts in our colours; everything else is in static/*.css, and the scripts are put in by scripts.py."""

import gradio

_SHEETS = ("app", "chat", "pages", "evidence", "inbox")
HEAD = "".join(f'<link rel="stylesheet" href="/ui/{name}.css">' for name in _SHEETS)

_LIGHT_DARK = {
    "body_background_fill": ("#FBFAF7", "#14161A"),
    "background_fill_primary": ("#FFFFFF", "#1B1E23"),
    "background_fill_secondary": ("#F3F1EC", "#101215"),
    "block_background_fill": ("#FBFAF7", "#14161A"),
    "body_text_color": ("#1C1B19", "#ECEAE4"),
    "body_text_color_subdued": ("#5C5850", "#A9A69D"),
    "block_label_text_color": ("#5C5850", "#A9A69D"),
    "border_color_primary": ("#D9D5CC", "#34383F"),
    "input_background_fill": ("#FFFFFF", "#1B1E23"),
    "input_background_fill_focus": ("#FFFFFF", "#1B1E23"),
    "input_border_color": ("#8A857A", "#757B86"),
    "input_border_color_focus": ("#0B5F6B", "#6CC5D0"),
    "input_placeholder_color": ("#5C5850", "#A9A69D"),
    "button_primary_background_fill": ("#0B5F6B", "#6CC5D0"),
    "button_primary_background_fill_hover": ("#094E58", "#86D2DB"),
    "button_primary_text_color": ("#FFFFFF", "#0C1A1D"),
    "button_secondary_background_fill": ("#FFFFFF", "#1B1E23"),
    "button_secondary_text_color": ("#0B5F6B", "#6CC5D0"),
    "button_secondary_border_color": ("#8A857A", "#757B86"),
    "color_accent_soft": ("#F3F1EC", "#101215"),
    "link_text_color": ("#0B5F6B", "#6CC5D0"),
}
_PLAIN = {
    "block_border_width": "0px",
    "block_shadow": "none",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "block_padding": "0px",
    "layout_gap": "12px",
    "button_large_radius": "6px",
    "button_small_radius": "6px",
    "input_radius": "6px",
    "block_radius": "6px",
}


def theme() -> gradio.themes.Base:
    """Paper and ink, light and dark."""
    base = gradio.themes.Base(
        font=["IBM Plex Sans", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
        text_size=gradio.themes.sizes.text_lg,
    )
    colours = {name: light for name, (light, _) in _LIGHT_DARK.items()}
    darks = {f"{name}_dark": dark for name, (_, dark) in _LIGHT_DARK.items()}
    return base.set(**colours, **darks, **_PLAIN)
