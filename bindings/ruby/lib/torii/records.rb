# frozen_string_literal: true

require 'time'

module Torii
  # A record of the API. Fields without a method are read by their names in the API, such as
  # <tt>user['phone']</tt>.
  class Record
    # @param attributes [Hash{String => Object}] by their names in the API
    def initialize(attributes)
      @attributes = attributes
    end

    # @return [Object, nil] a field by its name in the API
    def [](name) = @attributes[name]

    # @return [Hash{String => Object}] all fields, by their names in the API
    def to_h = @attributes

    # Whether the other is a record of the same class with the same fields.
    def ==(other) = other.class == self.class && other.to_h == to_h
    alias eql? ==

    # @return [Integer] as {#==} compares
    def hash = to_h.hash

    # Only ids: other fields may contain personal data.
    def inspect
      ids = @attributes.filter_map { |name, value| "#{name}=#{value.inspect}" if name.match?(/\A(id|.*Id)\z/) }
      "#<#{[self.class, *ids].join(' ')}>"
    end

    # Declares fields: text, booleans and metadata unchanged, times as Time.
    def self.fields(*names, times: [])
      names.each do |name|
        key = Body.key(name)
        define_method(name) { @attributes[key] }
      end
      times.each do |name|
        key = Body.key(name)
        define_method(name) { @attributes[key] && Time.iso8601(@attributes[key]) }
      end
    end
    private_class_method :fields
  end

  # A user of the environment.
  class User < Record
    # @!attribute [r] id
    #   @return [String]
    # @!attribute [r] environment_id
    #   @return [String]
    # @!attribute [r] email
    #   @return [String, nil]
    # @!attribute [r] name
    #   @return [String, nil]
    # @!attribute [r] first_name
    #   @return [String, nil]
    # @!attribute [r] last_name
    #   @return [String, nil]
    # @!attribute [r] locale
    #   @return [String, nil]
    # @!attribute [r] status
    #   @return [String]
    # @!attribute [r] public_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] private_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] unsafe_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] email_verified_at
    #   @return [Time, nil]
    # @!attribute [r] created_at
    #   @return [Time]
    # @!attribute [r] updated_at
    #   @return [Time]
    # @!attribute [r] deleted_at
    #   @return [Time, nil]
    fields :id, :environment_id, :email, :name, :first_name, :last_name, :locale, :status,
           :public_metadata, :private_metadata, :unsafe_metadata,
           times: %i[email_verified_at created_at updated_at deleted_at]
  end

  # A session of a user.
  class Session < Record
    # @!attribute [r] id
    #   @return [String]
    # @!attribute [r] user_id
    #   @return [String]
    # @!attribute [r] environment_id
    #   @return [String]
    # @!attribute [r] user_agent
    #   @return [String, nil]
    # @!attribute [r] ip_address
    #   @return [String, nil]
    # @!attribute [r] active_organization_id
    #   @return [String, nil]
    # @!attribute [r] impersonated_by
    #   @return [String, nil]
    # @!attribute [r] created_at
    #   @return [Time]
    # @!attribute [r] expires_at
    #   @return [Time]
    # @!attribute [r] last_used_at
    #   @return [Time]
    fields :id, :user_id, :environment_id, :user_agent, :ip_address, :active_organization_id, :impersonated_by,
           times: %i[created_at expires_at last_used_at]
  end

  # An organization of the environment.
  class Organization < Record
    # @!attribute [r] id
    #   @return [String]
    # @!attribute [r] name
    #   @return [String]
    # @!attribute [r] slug
    #   @return [String, nil]
    # @!attribute [r] role_set_id
    #   @return [String, nil]
    # @!attribute [r] public_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] private_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] created_at
    #   @return [Time]
    fields :id, :name, :slug, :role_set_id, :public_metadata, :private_metadata, times: %i[created_at]
  end

  # A user in an organization; with the metadata of the membership.
  class OrganizationMember < Record
    # @!attribute [r] organization_id
    #   @return [String]
    # @!attribute [r] user_id
    #   @return [String]
    # @!attribute [r] role
    #   @return [String]
    # @!attribute [r] role_name
    #   @return [String, nil]
    # @!attribute [r] public_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] private_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] joined_at
    #   @return [Time]
    fields :organization_id, :user_id, :role, :role_name, :public_metadata, :private_metadata, times: %i[joined_at]
  end

  # An organization of a user; with the metadata of the membership.
  class UserOrganization < Record
    # @!attribute [r] organization_id
    #   @return [String]
    # @!attribute [r] name
    #   @return [String]
    # @!attribute [r] slug
    #   @return [String, nil]
    # @!attribute [r] role
    #   @return [String]
    # @!attribute [r] role_name
    #   @return [String, nil]
    # @!attribute [r] public_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] private_metadata
    #   @return [Hash{String => Object}]
    # @!attribute [r] joined_at
    #   @return [Time]
    fields :organization_id, :name, :slug, :role, :role_name, :public_metadata, :private_metadata,
           times: %i[joined_at]
  end

  # An invitation by email. Only a single invitation has metadata, not those of a list.
  class Invitation < Record
    # @!attribute [r] id
    #   @return [String]
    # @!attribute [r] environment_id
    #   @return [String]
    # @!attribute [r] email
    #   @return [String]
    # @!attribute [r] status
    #   @return [String]
    # @!attribute [r] public_metadata
    #   @return [Hash{String => Object}, nil]
    # @!attribute [r] private_metadata
    #   @return [Hash{String => Object}, nil]
    # @!attribute [r] expires_at
    #   @return [Time]
    # @!attribute [r] created_at
    #   @return [Time]
    # @!attribute [r] accepted_at
    #   @return [Time, nil]
    # @!attribute [r] revoked_at
    #   @return [Time, nil]
    fields :id, :environment_id, :email, :status, :public_metadata, :private_metadata,
           times: %i[expires_at created_at accepted_at revoked_at]
  end

  # A single-use token to sign in as another user.
  class ImpersonationToken < Record
    # @!attribute [r] token
    #   @return [String]
    # @!attribute [r] expires_in_seconds
    #   @return [Integer]
    # @!attribute [r] url
    #   @return [String, nil]
    fields :token, :expires_in_seconds, :url
  end
end
