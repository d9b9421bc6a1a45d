# frozen_string_literal: true

# Lists the users of an environment: TORII_SECRET_KEY=sk_test_… ruby users.rb
require 'torii'

client = Torii::Client.new(ENV.fetch('TORII_SECRET_KEY'), api_url: ENV.fetch('TORII_API_URL', nil))
client.users.list(limit: 100).all { |user| puts "#{user.id} #{user.email}" }
