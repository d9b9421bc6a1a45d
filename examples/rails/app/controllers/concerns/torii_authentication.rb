# frozen_string_literal: true

require 'torii'

# Requires a valid access token for every action. `require_torii` adds requirements; `skip_before_action :authenticate`
# makes an action public. Actions read `auth`, a Torii::Auth.
module ToriiAuthentication
  extend ActiveSupport::Concern

  included do
    before_action :authenticate
    rescue_from Torii::TokenError, Torii::PolicyError, Torii::KeysUnavailableError, with: :refuse
  end

  class_methods do
    def require_torii(requirements, **options)
      before_action(**options) { authenticate(requirements) }
    end
  end

  private

  attr_reader :auth

  def authenticate(requirements = nil)
    # Not request.authorization, which reads other headers too.
    @auth = TORII.authenticate(request.get_header('HTTP_AUTHORIZATION'), requirements: requirements)
  end

  # The client does not learn the reason; the log does.
  def refuse(error)
    logger.warn("#{request.path}: #{error.message}")
    response.set_header('Cache-Control', 'no-store')
    response.set_header('WWW-Authenticate', error.www_authenticate) if error.www_authenticate
    response.set_header('Retry-After', [error.retry_after.to_i, 1].max.to_s) if error.answer_status == 503
    render json: { error: { code: error.public_code, message: error.public_message } }, status: error.answer_status
  end
end
