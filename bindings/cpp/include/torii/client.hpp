#ifndef TORII_CLIENT_HPP
#define TORII_CLIENT_HPP

#include "json.hpp"
#include "patch.hpp"

namespace torii {

/// A page of a list.
struct page_query {
    /// 1 to 100, or 0 for the API's default.
    std::uint32_t limit = 0;
    /// "/nextCursor" of the page before.
    std::string_view cursor = {};
};

/// Options of a client. A wrong value is reported when the client is created.
class client_options {
public:
    client_options() : handle_(torii_client_options_new()) { }

    /// Sets the base URL of the API. Default: "https://api.torii.so".
    client_options &api_url(std::string_view url)
    {
        return set(torii_client_options_set_api_url, url.data(), url.size());
    }
    /// Sets the timeout of a call, including every retry: 100 ms to 10 minutes. Default: 30 s.
    client_options &timeout(std::chrono::milliseconds timeout)
    {
        return set(torii_client_options_set_timeout_ms,
                   detail::count<std::chrono::milliseconds>(timeout));
    }
    /// Sets the timeout of connecting: 100 ms to 60 s. Default: 5 s.
    client_options &connect_timeout(std::chrono::milliseconds timeout)
    {
        return set(torii_client_options_set_connect_timeout_ms,
                   detail::count<std::chrono::milliseconds>(timeout));
    }
    /// Sets how often a call is retried: 0 to 10 times. Default: 2.
    client_options &max_retries(std::uint32_t retries)
    {
        return set(torii_client_options_set_max_retries, retries);
    }
    /// Trusts the certificate authorities in this PEM file instead of the platform's.
    client_options &ca_file(std::string_view path)
    {
        return set(torii_client_options_set_ca_file, path.data(), path.size());
    }
    /// Calls the API through an http or https proxy, such as
    /// "http://user:password@proxy.example:3128".
    client_options &proxy(std::string_view url)
    {
        return set(torii_client_options_set_proxy, url.data(), url.size());
    }
    /// Appends the name of your program to User-Agent, such as "shop/1.2".
    client_options &user_agent_suffix(std::string_view suffix)
    {
        return set(torii_client_options_set_user_agent_suffix, suffix.data(), suffix.size());
    }
    /// Allows plain http to hosts other than loopback. Anyone on the path can then read the secret
    /// key.
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

    /// Returns a page of the users that match a filter, a JSON object.
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

    /// Returns a user.
    json get(std::string_view user_id) const { return get(user_id, std::nothrow).value(); }
    result<json> get(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_get_json(client_, user_id.data(), user_id.size(), out, err);
        });
    }

    /// Never retried once sent: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the user may exist.
    json create(std::string_view body) const { return create(body, std::nothrow).value(); }
    result<json> create(std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_create_json(client_, body.data(), body.size(), out, err);
        });
    }

    /// Updates a user: an absent field is left alone, null clears it. See torii::patch.
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

    /// Merges metadata into a user's. A null removes its key.
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

    /// Deletes a user. The API answers 403 if there is no such user.
    void remove(std::string_view user_id) const { remove(user_id, std::nothrow).value(); }
    result<void> remove(std::string_view user_id, std::nothrow_t) const
    {
        return detail::act([&](auto err) {
            return torii_client_users_delete(client_, user_id.data(), user_id.size(), err);
        });
    }

    /// Bans a user and ends all sessions. A token stays valid until `exp`.
    json ban(std::string_view user_id) const { return ban(user_id, std::nothrow).value(); }
    result<json> ban(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_ban_json(client_, user_id.data(), user_id.size(), out, err);
        });
    }

    /// Lifts a ban and returns the user.
    json unban(std::string_view user_id) const { return unban(user_id, std::nothrow).value(); }
    result<json> unban(std::string_view user_id, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_users_unban_json(client_, user_id.data(), user_id.size(), out, err);
        });
    }

    /// Returns a page of the user's organizations.
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

    /// Returns the active sessions as a list, the one used last first.
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

    /// Ends all sessions of a user.
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

    /// Ends a session. Succeeds if it has already ended.
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

    /// Returns a page of the organizations whose names contain a text.
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

    /// Returns an organization.
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

    /// Returns a page of an organization's members.
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

    /// Merges metadata into an organization's. A null removes its key.
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

    /// Merges metadata into a membership's.
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

    /// Invites someone by email. Never retried once sent: after TORII_ERR_TRANSPORT or
    /// TORII_ERR_TIMEOUT the email may be on its way.
    json create(std::string_view body) const { return create(body, std::nothrow).value(); }
    result<json> create(std::string_view body, std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_invitations_create_json(client_, body.data(), body.size(), out,
                                                        err);
        });
    }

    /// Returns a page of the invitations with these statuses, a JSON array, that contain a text.
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

    /// Returns an invitation, with its metadata.
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

    /// Sends an invitation again, with a new link. Never retried once sent.
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

    /// Revokes an invitation. Never retried once sent.
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

    /// Merges metadata into that of a pending invitation. A null removes its key.
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

/// Sign-in as a user, for support.
class impersonation {
public:
    explicit impersonation(const torii_client_t *client) noexcept : client_(client) { }

    /// Returns a single-use token to sign in as a user. Never retried once sent, since each call
    /// counts toward a quota.
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

/// The origins from which browsers may call torii.
class allowed_origins {
public:
    explicit allowed_origins(const torii_client_t *client) noexcept : client_(client) { }

    /// Returns all origins, as a list.
    json get() const { return get(std::nothrow).value(); }
    result<json> get(std::nothrow_t) const
    {
        return detail::make<json>([&](auto out, auto err) {
            return torii_client_allowed_origins_get_json(client_, out, err);
        });
    }

    /// Replaces all origins.
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

/// Calls torii's backend API for the environment of a secret key. Create one at startup; any number
/// of threads may use it at once. One created before fork() works in the child. A client that was
/// moved from or closed fails every call with TORII_ERR_INVALID_ARGUMENT.
class client {
public:
    using native_type = torii_client_t;

    /// Creates a client for a secret key, "sk_live_…" or "sk_test_…". Sends nothing yet.
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

    /// Takes ownership of a handle of the C API.
    explicit client(native_type *taken) noexcept : handle_(taken) { }

    /// Returns the operations on users. None of these must outlive the client.
    torii::users users() const noexcept { return torii::users(native()); }
    /// Returns the operations on sessions.
    torii::sessions sessions() const noexcept { return torii::sessions(native()); }
    /// Returns the operations on organizations.
    torii::organizations organizations() const noexcept { return torii::organizations(native()); }
    /// Returns the operations on invitations.
    torii::invitations invitations() const noexcept { return torii::invitations(native()); }
    /// Returns the operations to sign in as another user.
    torii::impersonation impersonation() const noexcept { return torii::impersonation(native()); }
    /// Returns the operations on the origins from which browsers may call torii.
    torii::allowed_origins allowed_origins() const noexcept
    {
        return torii::allowed_origins(native());
    }

    /// Calls an operation that is newer than this library: a path such as "/api/server/v1/users", a
    /// percent-encoded query.
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

    /// Frees the client and wipes its secret key now. Needs exclusive use.
    void close() noexcept { handle_.reset(); }

    const native_type *native() const noexcept { return handle_.get(); }

private:
    detail::handle<native_type, torii_client_free> handle_;
};

/// Visits the pages of a list. `list` returns the page at a cursor as a json or a result<json>;
/// `visit` returns whether to continue. Returns nothing, or a result<void> if `list` returns
/// results.
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
