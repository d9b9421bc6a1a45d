# frozen_string_literal: true

module Torii
  # Operations on one resource; {Client} has one of each. Fields are keyword arguments in snake case; unknown
  # ones are sent too.
  # @api private
  class Resource
    def initialize(client)
      @client = client
    end

    # @return [String] the name of the class
    def inspect = "#<#{self.class}>"

    private

    def call(...) = @client.call(...)

    def one(type, ...) = type.new(call(...))
  end

  # The users of the environment.
  class Users < Resource
    # Lists users that match a filter: name, email, user_ids, email_addresses, statuses, created_after,
    # created_before, organization_id. nil is sent as null, for example to find
    # users without a name.
    # @return [Page<User>]
    def list(limit: 0, cursor: nil, **filter)
      Page.new(call(:users_list_json, limit, cursor, Body.filter(filter)), User) do |following|
        list(limit: limit, cursor: following, **filter)
      end
    end

    # Returns a user.
    # @return [User]
    def get(user_id) = one(User, :users_get_json, user_id)

    # Creates a user. Never retried once sent: after a {TransportError} the user may exist, unless {Error#unsent?}.
    # @return [User]
    def create(**fields) = one(User, :users_create_json, Body.json(fields))

    # Sets fields to their values, clears those that are nil, and leaves all others alone.
    # @return [User]
    def update(user_id, **fields) = one(User, :users_update_json, user_id, Body.json(fields))

    # Merges public_metadata, private_metadata and unsafe_metadata; a nil removes its key.
    # @return [User]
    def update_metadata(user_id, **metadata)
      one(User, :users_update_metadata_json, user_id, Body.json(metadata))
    end

    # Deletes a user.
    # @return [nil]
    def delete(user_id) = call(:users_delete, user_id)

    # Bans a user, which also ends all sessions of the user.
    # @return [User]
    def ban(user_id) = one(User, :users_ban_json, user_id)

    # Lifts the ban of a user.
    # @return [User]
    def unban(user_id) = one(User, :users_unban_json, user_id)

    # Lists the organizations of a user.
    # @return [Page<UserOrganization>]
    def list_organizations(user_id, limit: 0, cursor: nil)
      Page.new(call(:users_list_organizations_json, user_id, limit, cursor), UserOrganization) do |following|
        list_organizations(user_id, limit: limit, cursor: following)
      end
    end
  end

  # The sessions of users.
  class Sessions < Resource
    # Lists the active sessions of a user.
    # @return [Array<Session>]
    def list_for_user(user_id) = call(:sessions_list_for_user_json, user_id).map { |session| Session.new(session) }

    # Ends all sessions of a user.
    # @return [nil]
    def revoke_all_for_user(user_id) = call(:sessions_revoke_all_for_user, user_id)

    # Ends a session. Succeeds if the session has already ended.
    # @return [nil]
    def revoke(user_id, session_id) = call(:sessions_revoke, user_id, session_id)
  end

  # The organizations of the environment.
  class Organizations < Resource
    # Lists organizations.
    # @param name [String, nil] a text to search for in their names
    # @return [Page<Organization>]
    def list(limit: 0, cursor: nil, name: nil)
      Page.new(call(:organizations_list_json, limit, cursor, name), Organization) do |following|
        list(limit: limit, cursor: following, name: name)
      end
    end

    # Returns an organization.
    # @return [Organization]
    def get(organization_id) = one(Organization, :organizations_get_json, organization_id)

    # Lists the members of an organization.
    # @return [Page<OrganizationMember>]
    def list_members(organization_id, limit: 0, cursor: nil)
      answer = call(:organizations_list_members_json, organization_id, limit, cursor)
      Page.new(answer, OrganizationMember) do |following|
        list_members(organization_id, limit: limit, cursor: following)
      end
    end

    # Merges public_metadata and private_metadata; a nil removes its key.
    # @return [Organization]
    def update_metadata(organization_id, **metadata)
      one(Organization, :organizations_update_metadata_json, organization_id, Body.json(metadata))
    end

    # Merges public_metadata and private_metadata of a membership; a nil removes its key.
    # @return [OrganizationMember]
    def update_member_metadata(organization_id, user_id, **metadata)
      one(OrganizationMember, :organizations_update_member_metadata_json, organization_id, user_id,
          Body.json(metadata))
    end
  end

  # Invitations by email.
  class Invitations < Resource
    # Invites someone by email. Never retried once sent: after a {TransportError} the email may be on its way.
    # Other fields: expires_in_days, redirect_url.
    # @return [Invitation]
    def create(email:, public_metadata: {}, private_metadata: {}, **fields)
      body = { email: email, public_metadata: public_metadata, private_metadata: private_metadata, **fields }
      one(Invitation, :invitations_create_json, Body.json(body))
    end

    # Lists invitations.
    # @param statuses [Array<String>, nil] such as %w[PENDING ACCEPTED]
    # @param search [String, nil] a text to search for
    # @return [Page<Invitation>]
    def list(limit: 0, cursor: nil, statuses: nil, search: nil)
      answer = call(:invitations_list_json, limit, cursor, statuses && JSON.generate(statuses), search)
      Page.new(answer, Invitation) do |following|
        list(limit: limit, cursor: following, statuses: statuses, search: search)
      end
    end

    # Returns an invitation, with its metadata.
    # @return [Invitation]
    def get(invitation_id) = one(Invitation, :invitations_get_json, invitation_id)

    # Sends an invitation again, with a new link. Never retried once sent.
    # @return [Invitation]
    def resend(invitation_id) = one(Invitation, :invitations_resend_json, invitation_id)

    # Revokes an invitation. Never retried once sent.
    # @return [nil]
    def revoke(invitation_id) = call(:invitations_revoke, invitation_id)

    # Merges public_metadata and private_metadata of a pending invitation.
    # @return [Invitation]
    def update_metadata(invitation_id, **metadata)
      one(Invitation, :invitations_update_metadata_json, invitation_id, Body.json(metadata))
    end
  end

  # Signing in as another user.
  class Impersonation < Resource
    # Creates a single-use token to sign in as another user. Never retried once sent, since each call counts
    # toward a quota. Other fields: redirect_url, expires_in_seconds.
    # @return [ImpersonationToken]
    def create_token(user_id, actor_user_id:, reason:, **fields)
      body = { actor_user_id: actor_user_id, reason: reason, **fields }
      one(ImpersonationToken, :impersonation_create_token_json, user_id, Body.json(body))
    end
  end

  # The origins from which browsers may call torii.
  class AllowedOrigins < Resource
    # Returns all origins.
    # @return [Array<String>]
    def get = call(:allowed_origins_get_json).fetch('origins')

    # Replaces all origins.
    # @return [Array<String>]
    def set(origins) = call(:allowed_origins_set_json, Body.json(origins: origins)).fetch('origins')
  end
end
