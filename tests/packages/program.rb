# frozen_string_literal: true

# Renames the user of TOKEN to FIRST_NAME, verifies EXPIRED, and prints the path of the loaded library.

require 'torii'
require 'torii/middleware'

verifier = Torii::Verifier.new(ENV.fetch('TORII_ISSUER'))
client = Torii::Client.new(ENV.fetch('TORII_SECRET_KEY'), api_url: ENV.fetch('TORII_API_URL'))

auth = verifier.verify(ENV.fetch('TOKEN'))
user = client.users.update(auth.user_id, first_name: ENV.fetch('FIRST_NAME'))
puts "#{user.id} is #{user.first_name}"
begin
  verifier.verify(ENV.fetch('EXPIRED'))
rescue Torii::TokenError => e
  puts e.status
end
puts File.read('/proc/self/maps').scan(%r{/.*libtorii.*}).uniq
