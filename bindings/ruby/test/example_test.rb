# frozen_string_literal: true

require_relative 'test_helper'
require 'open3'
require 'rack'

# The examples run.
class ExampleTest < Minitest::Test
  include EmulatorTest

  def test_users
    user = client.users.create(email: 'ada@example.org')
    environment = { 'TORII_SECRET_KEY' => torii.secret_key, 'TORII_API_URL' => torii.url }
    output, status = Open3.capture2e(environment, 'ruby', '-Ilib', 'example/users.rb')
    assert_equal [true, "#{user.id} ada@example.org\n"], [status.success?, output]
  end

  def test_rack
    ENV['TORII_ISSUER'] = issuer
    app, = Rack::Builder.parse_file('example/config.ru')
    valid = { 'HTTP_AUTHORIZATION' => "Bearer #{token(claims: { sub: USER })}" }
    assert_equal [200, [JSON.generate(user_id: USER)]], app.call(valid).values_at(0, 2)
    assert_equal 401, app.call({}).first
  ensure
    ENV.delete('TORII_ISSUER')
  end
end
