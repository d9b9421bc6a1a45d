// Verifies the access token of every call to a gRPC server.
#ifndef GUARD_HPP
#define GUARD_HPP

#include <grpcpp/grpcpp.h>
#include <torii.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>

/// The value of the metadata `authorization`. Several values are joined, and the library refuses them.
template <class Metadata>
std::string authorization(const Metadata &metadata)
{
    std::string joined;
    const auto [first, last] = metadata.equal_range("authorization");
    for (auto each = first; each != last; ++each)
        joined.append(each == first ? "" : ", ").append(each->second.data(), each->second.size());
    return joined;
}

/// The status of a refused call. The client does not learn the reason.
inline grpc::Status refusal(const torii::error &error)
{
    const std::string message(error.public_message());
    if (error.is_token())
        return {grpc::StatusCode::UNAUTHENTICATED, message};
    if (error.is_policy())
        return {grpc::StatusCode::PERMISSION_DENIED, message};
    if (error.is_keys())
        return {grpc::StatusCode::UNAVAILABLE, message};
    return {grpc::StatusCode::INTERNAL, message};
}

/// Refuses calls before their handlers run, on the threads that gRPC has for this: keys may have to be
/// fetched. Set it on credentials that have a transport (TLS, or LocalServerCredentials behind a proxy):
///
///     credentials->SetAuthMetadataProcessor(std::make_shared<guard>(verifier));
///
/// An interceptor cannot do so: it can only cancel a call.
class guard : public grpc::AuthMetadataProcessor {
public:
    explicit guard(std::shared_ptr<const torii::verifier> verifier) : verifier_(std::move(verifier)) { }

    /// Requirements of single methods, by full name: "/shop.Orders/Delete".
    std::map<std::string, torii::requirements> requirements;
    /// Methods without a token.
    std::set<std::string> open;

    bool IsBlocking() const override { return true; }

    grpc::Status Process(const InputMetadata &metadata, grpc::AuthContext *, OutputMetadata *,
                         OutputMetadata *) override
    {
        const auto path = metadata.find(":path");
        if (path == metadata.end())
            return {grpc::StatusCode::INTERNAL, "a call without a method"};
        const std::string method(path->second.data(), path->second.size());
        if (open.count(method) != 0)
            return grpc::Status::OK;
        const auto of = requirements.find(method);
        const auto auth = verifier_->authenticate(authorization(metadata),
                                                  of != requirements.end() ? of->second : none_, std::nothrow);
        if (auth)
            return grpc::Status::OK;
        std::fprintf(stderr, "%s: %s\n", method.c_str(), auth.error().what());
        return refusal(auth.error());
    }

private:
    std::shared_ptr<const torii::verifier> verifier_;
    torii::requirements none_;
};

/// The identity in a handler, from the verifier's token cache. Not a property of the AuthContext: that
/// belongs to the connection, on which a proxy sends the calls of many users.
inline torii::result<torii::auth> identity(const torii::verifier &verifier, const grpc::ServerContextBase &context)
{
    return verifier.authenticate(authorization(context.client_metadata()), std::nothrow);
}

#endif
