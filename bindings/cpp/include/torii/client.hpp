#ifndef TORII_CLIENT_HPP
#define TORII_CLIENT_HPP

#include "json.hpp"
#include "patch.hpp"

namespace torii {

/// Which page of a list: `limit` is 1 to 100, or 0 to leave it to the API; `cursor` is
/// "/nextCursor" of the page before.
struct page_query {
    std::uint32_t limit = 0;
    std::string_view cursor = {};
};

/// How a client reaches the API. What is wrong about an option is said when the client is made.
class client_options {
public:
    client_options() : handle_(torii_client_options_new()) { }

    /// Where the API is: "https://api.torii.so" by default.
    client_options &api_url(std::string_view url)
    {
        return set(torii_client_options_set_api_url, url.data(), url.size());
    }
    /// How long a call may take in all, repetitions included: 100 ms to 10 minutes, 30 s by
    /// default.
    client_options &timeout(std::chrono::milliseconds timeout)
    {
        return set(torii_client_options_set_timeout_ms,
                   detail::count<std::chrono::milliseconds>(timeout));
    }
    /// How long connecting may take: 100 ms to 60 s, 5 s by default.
    client_options &connect_timeout(std::chrono::milliseconds timeout)
    {
        return set(torii_client_options_set_connect_timeout_ms,
                   detail::count<std::chrono::milliseconds>(timeout));
    }
    /// How often a call that may be repeated is repeated: up to 10 times, 2 by default.
    client_options &max_retries(std::uint32_t retries)
    {
        return set(torii_client_options_set_max_retries, retries);
    }
    /// Trusts the certificate authorities in this PEM file instead of the platform's.
    client_options &ca_file(std::string_view path)
    {
        return set(torii_client_options_set_ca_file, path.data(), path.size());
    }
    /// Goes through an http or https proxy, as in "http://name:password@proxy.example:3128".
    client_options &proxy(std::string_view url)
    {
        return set(torii_client_options_set_proxy, url.data(), url.size());
    }
    /// Names the program as well in User-Agent, as in "shop/1.2".
    client_options &user_agent_suffix(std::string_view suffix)
    {
        return set(torii_client_options_set_user_agent_suffix, suffix.data(), suffix.size());
    }
    /// Allows plain http to other hosts. Anyone on the way then learns the secret key.
    client_options &allow_http(bool allowed)
    {
        return set(torii_client_options_set_allow_http, allowed);
    }

private:
    friend class client;

    template <class Function, class... Value>
    client_options &set(Function function, Value... value)
    {
        auto done = detail::act([&](auto err) { return function(handle_.get(), value..., err); });
        if (outcome_)
            outcome_ = std::move(done);
        return *this;
    }

    detail::handle<torii_client_options_t, torii_client_options_free> handle_;
    result<void> outcome_;
};

// Bodies and filters are JSON objects, which torii::patch can make; they reach the API as they are.

/// The users of the environment.
class users {
public:
    explicit users(const torii_client_t *client) noexcept : client_(client) { }

    /// A page of the users that meet a filter, a JSON object.
    json list(const page_query &page = {}, std::string_view filter_json = {}) const
    {
        return list(page, filter_json, std::nothrow).value();
    }
    result<json> list(const page_query &page, std::string_view filter_json, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_list_json(client_, page.limit, page.cursor.data(),
                                                page.cursor.size(), filter_json.data(),
                                                filter_json.size(), out, err);
        });
    }

    json get(std::string_view user_id) const { return get(user_id, std::nothrow).value(); }
    result<json> get(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_get_json(client_, user_id.data(), user_id.size(), out, err);
        });
    }

    /// Never repeated: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the user may exist.
    json create(std::string_view body) const { return create(body, std::nothrow).value(); }
    result<json> create(std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_create_json(client_, body.data(), body.size(), out, err);
        });
    }

    /// Changes a user: a field that is absent stays as it is, null clears it. See torii::patch.
    json update(std::string_view user_id, std::string_view body) const
    {
        return update(user_id, body, std::nothrow).value();
    }
    result<json> update(std::string_view user_id, std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_update_json(client_, user_id.data(), user_id.size(),
                                                  body.data(), body.size(), out, err);
        });
    }

    /// Merges into the metadata of a user: a key that is null is removed.
    json update_metadata(std::string_view user_id, std::string_view body) const
    {
        return update_metadata(user_id, body, std::nothrow).value();
    }
    result<json> update_metadata(std::string_view user_id, std::string_view body,
                                 std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_update_metadata_json(client_, user_id.data(), user_id.size(),
                                                           body.data(), body.size(), out, err);
        });
    }

    /// The API answers 403 for a user that is gone already.
    void remove(std::string_view user_id) const { remove(user_id, std::nothrow).value(); }
    result<void> remove(std::string_view user_id, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_client_users_delete(client_, user_id.data(), user_id.size(), err);
        });
    }

    /// Bans a user and ends all sessions. Tokens that are out stay good until they expire.
    json ban(std::string_view user_id) const { return ban(user_id, std::nothrow).value(); }
    result<json> ban(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_ban_json(client_, user_id.data(), user_id.size(), out, err);
        });
    }

    json unban(std::string_view user_id) const { return unban(user_id, std::nothrow).value(); }
    result<json> unban(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_unban_json(client_, user_id.data(), user_id.size(), out, err);
        });
    }

    /// A page of the organizations a user belongs to.
    json list_organizations(std::string_view user_id, const page_query &page = {}) const
    {
        return list_organizations(user_id, page, std::nothrow).value();
    }
    result<json> list_organizations(std::string_view user_id, const page_query &page,
                                    std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_list_organizations_json(
                client_, user_id.data(), user_id.size(), page.limit, page.cursor.data(),
                page.cursor.size(), out, err);
        });
    }

private:
    const torii_client_t *client_;
};

/// The sessions of users.
class sessions {
public:
    explicit sessions(const torii_client_t *client) noexcept : client_(client) { }

    /// The active ones, as a list: the one used last comes first.
    json list_for_user(std::string_view user_id) const
    {
        return list_for_user(user_id, std::nothrow).value();
    }
    result<json> list_for_user(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_sessions_list_for_user_json(client_, user_id.data(), user_id.size(),
                                                            out, err);
        });
    }

    void revoke_all_for_user(std::string_view user_id) const
    {
        revoke_all_for_user(user_id, std::nothrow).value();
    }
    result<void> revoke_all_for_user(std::string_view user_id, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_client_sessions_revoke_all_for_user(client_, user_id.data(),
                                                             user_id.size(), err);
        });
    }

    /// One that is over already is fine.
    void revoke(std::string_view user_id, std::string_view session_id) const
    {
        revoke(user_id, session_id, std::nothrow).value();
    }
    result<void> revoke(std::string_view user_id, std::string_view session_id, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_client_sessions_revoke(client_, user_id.data(), user_id.size(),
                                                session_id.data(), session_id.size(), err);
        });
    }

private:
    const torii_client_t *client_;
};

/// The organizations of the environment.
class organizations {
public:
    explicit organizations(const torii_client_t *client) noexcept : client_(client) { }

    /// A page of those with this in their name.
    json list(const page_query &page = {}, std::string_view name = {}) const
    {
        return list(page, name, std::nothrow).value();
    }
    result<json> list(const page_query &page, std::string_view name, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_organizations_list_json(client_, page.limit, page.cursor.data(),
                                                        page.cursor.size(), name.data(),
                                                        name.size(), out, err);
        });
    }

    json get(std::string_view organization_id) const
    {
        return get(organization_id, std::nothrow).value();
    }
    result<json> get(std::string_view organization_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_organizations_get_json(client_, organization_id.data(),
                                                       organization_id.size(), out, err);
        });
    }

    /// A page of the users who belong to an organization.
    json list_members(std::string_view organization_id, const page_query &page = {}) const
    {
        return list_members(organization_id, page, std::nothrow).value();
    }
    result<json> list_members(std::string_view organization_id, const page_query &page,
                              std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_organizations_list_members_json(
                client_, organization_id.data(), organization_id.size(), page.limit,
                page.cursor.data(), page.cursor.size(), out, err);
        });
    }

    /// Merges into the metadata of an organization: a key that is null is removed.
    json update_metadata(std::string_view organization_id, std::string_view body) const
    {
        return update_metadata(organization_id, body, std::nothrow).value();
    }
    result<json> update_metadata(std::string_view organization_id, std::string_view body,
                                 std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_organizations_update_metadata_json(
                client_, organization_id.data(), organization_id.size(), body.data(), body.size(),
                out, err);
        });
    }

    /// The same for a membership.
    json update_member_metadata(std::string_view organization_id, std::string_view user_id,
                                std::string_view body) const
    {
        return update_member_metadata(organization_id, user_id, body, std::nothrow).value();
    }
    result<json> update_member_metadata(std::string_view organization_id, std::string_view user_id,
                                        std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_organizations_update_member_metadata_json(
                client_, organization_id.data(), organization_id.size(), user_id.data(),
                user_id.size(), body.data(), body.size(), out, err);
        });
    }

private:
    const torii_client_t *client_;
};

/// The invitations of the environment.
class invitations {
public:
    explicit invitations(const torii_client_t *client) noexcept : client_(client) { }

    /// Never repeated: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the email may be on its way.
    json create(std::string_view body) const { return create(body, std::nothrow).value(); }
    result<json> create(std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_invitations_create_json(client_, body.data(), body.size(), out,
                                                        err);
        });
    }

    /// A page of those in these states, a JSON list, with this in them.
    json list(const page_query &page = {}, std::string_view statuses_json = {},
              std::string_view search = {}) const
    {
        return list(page, statuses_json, search, std::nothrow).value();
    }
    result<json> list(const page_query &page, std::string_view statuses_json,
                      std::string_view search, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_invitations_list_json(
                client_, page.limit, page.cursor.data(), page.cursor.size(), statuses_json.data(),
                statuses_json.size(), search.data(), search.size(), out, err);
        });
    }

    /// One invitation, with its metadata.
    json get(std::string_view invitation_id) const
    {
        return get(invitation_id, std::nothrow).value();
    }
    result<json> get(std::string_view invitation_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_invitations_get_json(client_, invitation_id.data(),
                                                     invitation_id.size(), out, err);
        });
    }

    /// Sends an invitation again, with a new link. Never repeated.
    json resend(std::string_view invitation_id) const
    {
        return resend(invitation_id, std::nothrow).value();
    }
    result<json> resend(std::string_view invitation_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_invitations_resend_json(client_, invitation_id.data(),
                                                        invitation_id.size(), out, err);
        });
    }

    void revoke(std::string_view invitation_id) const
    {
        revoke(invitation_id, std::nothrow).value();
    }
    result<void> revoke(std::string_view invitation_id, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_client_invitations_revoke(client_, invitation_id.data(),
                                                   invitation_id.size(), err);
        });
    }

    /// Merges into the metadata of a pending invitation: a key that is null is removed.
    json update_metadata(std::string_view invitation_id, std::string_view body) const
    {
        return update_metadata(invitation_id, body, std::nothrow).value();
    }
    result<json> update_metadata(std::string_view invitation_id, std::string_view body,
                                 std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_invitations_update_metadata_json(client_, invitation_id.data(),
                                                                 invitation_id.size(), body.data(),
                                                                 body.size(), out, err);
        });
    }

private:
    const torii_client_t *client_;
};

/// Lets support see what a user sees.
class impersonation {
public:
    explicit impersonation(const torii_client_t *client) noexcept : client_(client) { }

    /// A token to sign in as a user, once. Never repeated, since it counts towards a quota.
    json create_token(std::string_view user_id, std::string_view body) const
    {
        return create_token(user_id, body, std::nothrow).value();
    }
    result<json> create_token(std::string_view user_id, std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_impersonation_create_token_json(
                client_, user_id.data(), user_id.size(), body.data(), body.size(), out, err);
        });
    }

private:
    const torii_client_t *client_;
};

/// The origins browsers may call torii from.
class allowed_origins {
public:
    explicit allowed_origins(const torii_client_t *client) noexcept : client_(client) { }

    json get() const { return get(std::nothrow).value(); }
    result<json> get(std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_allowed_origins_get_json(client_, out, err);
        });
    }

    /// Replaces them all.
    json set(std::string_view body) const { return set(body, std::nothrow).value(); }
    result<json> set(std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_allowed_origins_set_json(client_, body.data(), body.size(), out,
                                                         err);
        });
    }

private:
    const torii_client_t *client_;
};

/// Manages the environment of a secret key over torii's backend API. Any number of threads may use
/// one at once; keep one for the whole program. One made before fork() works in the child. A client
/// that was moved from or closed refuses every call with TORII_ERR_INVALID_ARGUMENT.
class client {
public:
    using native_type = torii_client_t;

    /// For a secret key, "sk_live_…" or "sk_test_…". Nothing is sent yet.
    explicit client(std::string_view secret_key, const client_options &options = {})
        : client(make(secret_key, options).value())
    { }

    /// The same without exceptions.
    static result<client> make(std::string_view secret_key, const client_options &options = {})
    {
        for (auto ready : {detail::check_abi(), options.outcome_})
            if (!ready)
                return ready.error();
        return detail::make<client>([&](auto out, auto err) {
            return torii_client_new(secret_key.data(), secret_key.size(), options.handle_.get(),
                                    out, err);
        });
    }

    /// Takes over a handle of C's.
    explicit client(native_type *taken) noexcept : handle_(taken) { }

    // What the resources are of; they must not outlive the client.
    torii::users users() const noexcept { return torii::users(native()); }
    torii::sessions sessions() const noexcept { return torii::sessions(native()); }
    torii::organizations organizations() const noexcept { return torii::organizations(native()); }
    torii::invitations invitations() const noexcept { return torii::invitations(native()); }
    torii::impersonation impersonation() const noexcept { return torii::impersonation(native()); }
    torii::allowed_origins allowed_origins() const noexcept
    {
        return torii::allowed_origins(native());
    }

    /// Calls an operation that is newer than this library: a path as in "/api/server/v1/users", a
    /// query that is percent-encoded already.
    json request(std::string_view method, std::string_view path, std::string_view query = {},
                 std::string_view body = {}) const
    {
        return request(method, path, query, body, std::nothrow).value();
    }
    result<json> request(std::string_view method, std::string_view path, std::string_view query,
                         std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_request_json(native(), method.data(), method.size(), path.data(),
                                             path.size(), query.data(), query.size(), body.data(),
                                             body.size(), out, err);
        });
    }

    /// Frees the client and wipes its secret key now. Nobody else may use it.
    void close() noexcept { handle_.reset(); }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    detail::handle<native_type, torii_client_free> handle_;
};

/// Runs over the pages of a list. `list` gives the page at a cursor, or its result<json>; `visit`
/// looks at one and says whether to go on. Gives what list gives: nothing, or a result<void>.
///
///     torii::each_page([&](std::string_view cursor) { return users.list({100, cursor}); },
///                      [&](const torii::json &page) { …; return true; });
template <class List, class Visit>
auto each_page(List list, Visit visit)
{
    constexpr bool throws = std::is_same_v<std::invoke_result_t<List, std::string_view>, json>;
    std::string cursor;
    for (;;) {
        result<json> page = list(std::string_view(cursor));
        if (!page) {
            if constexpr (!throws)
                return result<void>(page.error());
        }
        const auto next = page->string("/nextCursor");
        if (!visit(std::as_const(*page)) || !next)
            break;
        cursor = *next;
    }
    if constexpr (!throws)
        return result<void>();
}

} // namespace torii

#endif
