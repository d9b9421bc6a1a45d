# frozen_string_literal: true

Rails.application.routes.draw do
  get 'me', to: 'accounts#me'
  get 'admin', to: 'accounts#admin'
  get 'health', to: 'accounts#health'
end
