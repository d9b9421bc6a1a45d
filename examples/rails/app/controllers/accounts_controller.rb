# frozen_string_literal: true

class AccountsController < ApplicationController
  require_torii TORII_ADMIN, only: :admin
  skip_before_action :authenticate, only: :health

  def me
    render json: { user_id: auth.user_id }
  end

  def admin
    render json: { user_id: auth.user_id, organization_id: auth.organization_id }
  end

  def health
    head :ok
  end
end
