"""A multi-page app: each page module registers its own shared callbacks, before there is an app."""

import dash_devices
from dash_devices import dcc, html

app = dash_devices.Dash(__name__, title="Pages", use_pages=True, assets_folder="../assets")
links = [dcc.Link(page["name"], href=page["relative_path"]) for page in dash_devices.page_registry.values()]
app.layout = html.Main([html.H1("Observatory"), html.Nav(links), dash_devices.page_container])

if __name__ == "__main__":
    app.run()
