// A server whose page /me returns the user id: server ISSUER [PORT [COOKIE]]
// With WEBHOOK_SECRET in its environment it receives webhooks at /webhooks.
#include <httplib.h>
#include <torii.hpp>

#include <cstdio>
#include <cstdlib>

static void answer(const torii::error &error, httplib::Response &response)
{
    const torii::refusal refusal = torii::refuse(error);
    std::fprintf(stderr, "%d: %s\n", refusal.status, error.what());
    response.status = refusal.status;
    response.body = refusal.body;
    for (const auto &[name, value] : refusal.headers)
        response.set_header(name, value);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return std::fprintf(stderr, "usage: server ISSUER [PORT [COOKIE]]\n"), 2;
    try {
        const torii::verifier verifier(argv[1]);
        torii::guard guard;
        guard.cookie = argc > 3 ? argv[3] : "";
        httplib::Server server;

        server.Get("/me", [&](const httplib::Request &request, httplib::Response &response) {
            const auto auth = guard.authenticate(verifier, request.target, request.headers);
            if (!auth)
                return answer(auth.error(), response);
            const std::string body(torii::patch().set("user_id", (*auth)->user_id()).json());
            response.set_content(body, "application/json");
        });

        if (const char *secret = std::getenv("WEBHOOK_SECRET")) {
            const auto webhooks = std::make_shared<torii::webhook_verifier>(secret);
            server.Post("/webhooks",
                        [=](const httplib::Request &request, httplib::Response &response) {
                            const auto webhook =
                                webhooks->verify(request.headers, request.body, std::nothrow);
                            if (!webhook)
                                return answer(webhook.error(), response);
                            std::fprintf(stderr, "webhook %s\n", webhook->id.c_str());
                            response.status = 204;
                        });
        }

        const int port = argc > 2 ? std::atoi(argv[2]) : 8080;
        const int bound = port ? (server.bind_to_port("127.0.0.1", port) ? port : -1)
                               : server.bind_to_any_port("127.0.0.1");
        std::printf("http://127.0.0.1:%d/me\n", bound);
        std::fflush(stdout);
        return server.listen_after_bind() ? 0 : 1;
    } catch (const torii::error &error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
}
