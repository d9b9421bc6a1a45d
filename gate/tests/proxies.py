"""Caddy, nginx and Envoy in front of an application, asking the gate about each request.

A site is {"port", "application", "gate", "routes": {path: gate}, "skip": [path], "token_header", "cookie"}; each gate
is an address. The identity header is X-Torii-User.
"""

import json
import os
import subprocess
import tempfile

from support import Program


class Proxy(Program):
    """A proxy that is ready when it listens on the port of each site."""

    def __init__(self, command, sites, folder, **settings):
        self.folder = folder
        super().__init__(command, **settings)
        for site in sites:
            self.wait(lambda: listens(site["port"]), f"{command[0]} listens on {site['port']}")


def listens(port):
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as file:
            rows = [line.split() for line in file.readlines()[1:]]
        if any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows):
            return True
    return False


# ---- Caddy ---------------------------------------------------------------------------------------


def caddy_site(site):
    def asked(gate):
        return [f"forward_auth {gate} {{", "uri /", "copy_headers X-Torii-User", "}"]

    def location(matcher, *lines):
        # `path` would compare without regard to case.
        return [f"@{matcher[0]} vars {{http.request.orig_uri.path}} {matcher[1]}", f"handle @{matcher[0]} {{", *lines,
                f"reverse_proxy 127.0.0.1:{site['application']}", "}"]

    lines = [f"http://:{site['port']} {{", "bind 127.0.0.1", "request_header -X-Torii-User", "request_header -X_Torii_User"]
    for number, path in enumerate(site["skip"]):
        lines += location((f"skip{number}", path))
    for number, (path, gate) in enumerate(site["routes"].items()):
        lines += location((f"route{number}", path), *asked(gate))
    return [*lines, "handle {", *asked(site["gate"]), f"reverse_proxy 127.0.0.1:{site['application']}", "}", "}"]


def caddy(sites, folder):
    lines = ["{", "admin off", "auto_https off", "}"]
    for site in sites:
        lines += caddy_site(site)
    with open(f"{folder}/Caddyfile", "w") as file:
        file.write("\n".join(lines))
    command = ["caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]
    return Proxy(command, sites, folder, env={**os.environ, "HOME": folder})


# ---- nginx ---------------------------------------------------------------------------------------

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ }}
http {{
access_log off;
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
large_client_header_buffers 4 32k;
proxy_http_version 1.1;
{servers}
}}
"""

NGINX_ANSWERS = """
location @unauthorized {
default_type application/json;
add_header Cache-Control no-store always;
return 401 '{"error":{"code":"authentication_failed","message":"A valid access token is required"}}';
}
location @forbidden {
default_type application/json;
add_header WWW-Authenticate $gate_challenge always;
add_header Cache-Control no-store always;
return 403 '{"error":{"code":"forbidden","message":"The access token does not permit this request"}}';
}
location @unavailable {
default_type application/json;
add_header Retry-After $gate_retry_after always;
add_header Cache-Control no-store always;
return 503 '{"error":{"code":"keys_unavailable","message":"Authentication is temporarily unavailable"}}';
}
"""


def nginx_site(site):
    gates = [site["gate"], *site["routes"].values()]
    lines = ["server {", f"listen 127.0.0.1:{site['port']};", NGINX_ANSWERS]
    application = f"proxy_pass http://127.0.0.1:{site['application']};"
    for number, gate in enumerate(gates):
        lines += [f"location = /_gate{number} {{", "internal;", f"proxy_pass http://{gate};",
                  "proxy_pass_request_body off;", 'proxy_set_header Content-Length "";', "}"]

    def asked(number):
        return [f"auth_request /_gate{number};", "auth_request_set $gate_challenge $upstream_http_www_authenticate;",
                "auth_request_set $gate_retry_after $upstream_http_retry_after;",
                "auth_request_set $gate_user $upstream_http_x_torii_user;",
                "proxy_set_header X-Torii-User $gate_user;", "error_page 401 = @unauthorized;",
                "error_page 403 = @forbidden;", "error_page 500 = @unavailable;", application, "}"]

    for path in site["skip"]:
        lines += [f"location = {path} {{", 'proxy_set_header X-Torii-User "";', application, "}"]
    for number, path in enumerate(site["routes"], 1):
        lines += [f"location = {path} {{", *asked(number)]
    return [*lines, "location / {", *asked(0), "}"]


def nginx(sites, folder):
    servers = "\n".join("\n".join(nginx_site(site)) for site in sites)
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(NGINX.format(folder=folder, servers=servers))
    return Proxy(["nginx", "-p", folder, "-e", "stderr", "-c", f"{folder}/nginx.conf"], sites, folder)


# ---- Envoy ---------------------------------------------------------------------------------------

TYPE = "type.googleapis.com/envoy.extensions.filters"


def address(text):
    host, port = text.rsplit(":", 1)
    return {"socket_address": {"address": host, "port_value": int(port)}}


def cluster(text):
    endpoint = {"endpoint": {"address": address(text)}}
    return {"name": text, "connect_timeout": "60s",
            "load_assignment": {"cluster_name": text, "endpoints": [{"lb_endpoints": [endpoint]}]}}


def http_service(gate, site):
    request = [{"exact": name.lower()} for name in ("cookie", site["token_header"])]
    return {
        "server_uri": {"uri": f"http://{gate}", "cluster": gate, "timeout": "60s"},
        "authorization_request": {"allowed_headers": {"patterns": request}},
        "authorization_response": {"allowed_upstream_headers": {"patterns": [{"exact": "x-torii-user"}]}},
    }


def envoy_listener(site):
    application = {"route": {"cluster": f"127.0.0.1:{site['application']}"}}

    def route(match, **settings):
        per_route = {"@type": f"{TYPE}.http.ext_authz.v3.ExtAuthzPerRoute", **settings}
        return {"match": match, **application,
                **({"typed_per_filter_config": {"envoy.filters.http.ext_authz": per_route}} if settings else {})}

    routes = [route({"path": path}, disabled=True) for path in site["skip"]]
    routes += [route({"path": path}, check_settings={"http_service": http_service(gate, site)})
               for path, gate in site["routes"].items()]
    routes.append(route({"prefix": "/"}))
    mutation = {"@type": f"{TYPE}.http.header_mutation.v3.HeaderMutation",
                "mutations": {"request_mutations": [{"remove": "x-torii-user"}]}}
    authz = {"@type": f"{TYPE}.http.ext_authz.v3.ExtAuthz", "http_service": http_service(site["gate"], site),
             "status_on_error": {"code": "ServiceUnavailable"}}
    router = {"@type": f"{TYPE}.http.router.v3.Router"}
    unavailable = {
        "filter": {"and_filter": {"filters": [
            {"response_flag_filter": {"flags": ["UAEX"]}},
            {"status_code_filter": {"comparison": {"op": "EQ", "value": {"default_value": 503, "runtime_key": "none"}}}}]}},
        "headers_to_add": [{"header": {"key": name, "value": value}} for name, value in
                           (("retry-after", "1"), ("cache-control", "no-store"))],
        "body_format_override": {"content_type": "application/json", "json_format": {"error": {
            "code": "keys_unavailable", "message": "Authentication is temporarily unavailable"}}},
    }
    manager = {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "max_request_headers_kb": 96,
        "common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER"},
        "delayed_close_timeout": "0.1s",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "envoy.filters.http.header_mutation", "typed_config": mutation},
                         {"name": "envoy.filters.http.ext_authz", "typed_config": authz},
                         {"name": "envoy.filters.http.router", "typed_config": router}],
        "local_reply_config": {"mappers": [unavailable]},
    }
    chain = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {"name": str(site["port"]), "address": address(f"127.0.0.1:{site['port']}"),
            "filter_chains": [{"filters": [chain]}]}


def envoy(sites, folder):
    targets = {target for site in sites
               for target in (f"127.0.0.1:{site['application']}", site["gate"], *site["routes"].values())}
    config = {"static_resources": {"listeners": [envoy_listener(site) for site in sites],
                                   "clusters": [cluster(target) for target in sorted(targets)]}}
    with open(f"{folder}/envoy.json", "w") as file:
        json.dump(config, file)
    command = [os.environ["ENVOY"], "-c", f"{folder}/envoy.json", "--disable-hot-restart", "--concurrency", "1",
               "--log-level", "warn"]
    return Proxy(command, sites, folder, stdout=subprocess.DEVNULL)


ALL = {"caddy": caddy, "nginx": nginx, "envoy": envoy}


def folder():
    return tempfile.TemporaryDirectory()
