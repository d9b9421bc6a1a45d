// guard_test: a gRPC server and its clients, with a local torii.
#include "guard.hpp"
#include "orders.grpc.pb.h"

#include <grpcpp/security/credentials.h>
#include <torii/testing.hpp>

#include <atomic>
#include <cstdlib>
#include <thread>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1); \
        } \
    } while (0)

const char *const organization = "0190d3c1-6a3e-7f4f-9c1b-8f1d2a3b4c5d";

class orders final : public shop::Orders::Service {
public:
    explicit orders(std::shared_ptr<const torii::verifier> verifier) : verifier_(std::move(verifier)) { }

    std::atomic<int> calls = 0;

    grpc::Status Get(grpc::ServerContext *context, const shop::Request *, shop::Answer *answer) override
    {
        ++calls;
        const auto auth = identity(*verifier_, *context);
        if (!auth)
            return refusal(auth.error());
        answer->set_user_id(std::string(auth->user_id()));
        return grpc::Status::OK;
    }

    grpc::Status Watch(grpc::ServerContext *context, const shop::Request *request,
                       grpc::ServerWriter<shop::Answer> *writer) override
    {
        shop::Answer answer;
        const grpc::Status status = Get(context, request, &answer);
        if (status.ok())
            writer->Write(answer);
        return status;
    }

    grpc::Status Delete(grpc::ServerContext *context, const shop::Request *request, shop::Answer *answer) override
    {
        return Get(context, request, answer);
    }

    grpc::Status Health(grpc::ServerContext *, const shop::Request *, shop::Answer *) override
    {
        return grpc::Status::OK;
    }

private:
    std::shared_ptr<const torii::verifier> verifier_;
};

/// A server and a connection to it.
class shop_server {
public:
    explicit shop_server(std::string_view issuer) : shop_server(std::make_shared<torii::verifier>(issuer)) { }

    explicit shop_server(std::shared_ptr<const torii::verifier> verifier) : service(verifier)
    {
        auto processor = std::make_shared<guard>(verifier);
        processor->requirements["/shop.Orders/Delete"].organization(organization, "admin");
        processor->open.insert("/shop.Orders/Health");
        auto credentials = grpc::experimental::LocalServerCredentials(LOCAL_TCP);
        credentials->SetAuthMetadataProcessor(processor);
        grpc::ServerBuilder builder;
        int port = 0;
        // One thread takes the calls: if it waited for keys, no call would get through.
        builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
        builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
        builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
        builder.AddListeningPort("127.0.0.1:0", credentials, &port);
        builder.RegisterService(&service);
        server_ = builder.BuildAndStart();
        CHECK(server_ != nullptr && port != 0);
        stub_ = shop::Orders::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                          grpc::experimental::LocalCredentials(LOCAL_TCP)));
    }

    ~shop_server() { server_->Shutdown(std::chrono::system_clock::now()); }

    struct outcome {
        grpc::StatusCode code;
        std::string user;
    };

    outcome get(std::vector<std::string> values) { return unary(&shop::Orders::Stub::Get, std::move(values)); }
    outcome remove(std::vector<std::string> values) { return unary(&shop::Orders::Stub::Delete, std::move(values)); }
    outcome health() { return unary(&shop::Orders::Stub::Health, {}); }

    outcome watch(std::vector<std::string> values)
    {
        grpc::ClientContext context;
        prepare(context, values);
        auto reader = stub_->Watch(&context, shop::Request());
        shop::Answer answer;
        reader->Read(&answer);
        return {reader->Finish().error_code(), answer.user_id()};
    }

    orders service;

private:
    static void prepare(grpc::ClientContext &context, const std::vector<std::string> &values)
    {
        // For a call that hangs, and far more than any needs on a busy machine.
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5));
        for (const auto &value : values)
            context.AddMetadata("authorization", value);
    }

    template <class Method>
    outcome unary(Method method, const std::vector<std::string> &values)
    {
        grpc::ClientContext context;
        prepare(context, values);
        shop::Answer answer;
        const grpc::Status status = ((*stub_).*method)(&context, shop::Request(), &answer);
        return {status.error_code(), answer.user_id()};
    }

    std::unique_ptr<grpc::Server> server_;
    std::unique_ptr<shop::Orders::Stub> stub_;
};

static std::string bearer(std::string_view token)
{
    return "Bearer " + std::string(token);
}

static void who_gets_in(const torii::testing::local_torii &local)
{
    shop_server server(local.issuer());
    const auto one = bearer(local.token(R"({"sub":"user-1"})"));
    const auto two = bearer(local.token(R"({"sub":"user-2"})"));
    // On one connection, in turn.
    for (int round = 0; round < 3; ++round) {
        CHECK(server.get({one}).user == "user-1");
        CHECK(server.watch({two}).user == "user-2");
        CHECK(server.get({two}).user == "user-2");
    }
    const int before = server.service.calls;
    for (const std::vector<std::string> &values : std::vector<std::vector<std::string>>{
             {}, {one + "."}, {"Basic " + one}, {one, one}, {bearer(local.mint(R"({"now_offset":-5000})"))}}) {
        CHECK(server.get(values).code == grpc::StatusCode::UNAUTHENTICATED);
        CHECK(server.watch(values).code == grpc::StatusCode::UNAUTHENTICATED);
    }
    CHECK(server.service.calls == before);
    CHECK(server.health().code == grpc::StatusCode::OK);
}

static void requirements_of_a_method(const torii::testing::local_torii &local)
{
    shop_server server(local.issuer());
    const auto with_role = [&](const char *role) {
        return bearer(local.token(std::string(R"({"o":{"id":")") + organization + R"(","rol":")" + role + R"("}})"));
    };
    CHECK(server.remove({with_role("admin")}).code == grpc::StatusCode::OK);
    for (const auto &header : {with_role("member"), bearer(local.token())}) {
        CHECK(server.remove({header}).code == grpc::StatusCode::PERMISSION_DENIED);
        CHECK(server.get({header}).code == grpc::StatusCode::OK);
    }
}

static void keys_are_unavailable(const torii::testing::local_torii &local)
{
    local.fail_keys();
    torii_jwks_cache_clear();
    shop_server server(local.issuer());
    CHECK(server.get({bearer(local.token())}).code == grpc::StatusCode::UNAVAILABLE);
    CHECK(server.watch({bearer(local.token())}).code == grpc::StatusCode::UNAVAILABLE);
    local.clear_faults();
}

static void a_fetch_of_keys_stops_no_other_call(const torii::testing::local_torii &local)
{
    torii_jwks_cache_clear();
    local.control("DELETE", "/requests");
    shop_server server(std::make_shared<torii::verifier>(
        local.issuer(), torii::verifier_options().fetch_timeout(std::chrono::seconds(60))));
    local.control("POST", "/faults", R"({"path":"/acme/","fault":{"kind":"hold"}})");
    shop_server::outcome outcome{};
    std::thread waiting([&] { outcome = server.get({bearer(local.token(R"({"sub":"patient"})"))}); });
    local.control("GET", "/requests?path=/acme/&at_least=1&timeout_ms=60000");
    for (int i = 0; i < 10; ++i) {
        CHECK(server.health().code == grpc::StatusCode::OK);
        CHECK(server.get({}).code == grpc::StatusCode::UNAUTHENTICATED);
    }
    CHECK(outcome.user.empty());
    local.control("POST", "/faults/release", R"({"path":"/acme/"})");
    waiting.join();
    CHECK(outcome.user == "patient");
    local.clear_faults();
}

int main()
{
    const torii::testing::local_torii local;
    who_gets_in(local);
    requirements_of_a_method(local);
    keys_are_unavailable(local);
    a_fetch_of_keys_stops_no_other_call(local);
    return 0;
}
