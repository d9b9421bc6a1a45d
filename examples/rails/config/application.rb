# frozen_string_literal: true

require 'rails'
require 'action_controller/railtie'

class Shop < Rails::Application
  config.load_defaults 6.1
  config.root = File.dirname(__dir__)
  config.api_only = true
  config.eager_load = true
  config.logger = Logger.new($stderr)
  config.hosts.clear
end
