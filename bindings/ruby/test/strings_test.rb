# frozen_string_literal: true

require_relative 'test_helper'

# Text of every kind arrives unchanged, or is refused with its name.
class StringsTest < Minitest::Test
  include EmulatorTest

  LONG = ('x' * (1 << 20)).freeze

  def test_tokens_and_headers
    verifier = Torii::Verifier.new(issuer)
    { '' => :token_missing, "a\0b.c.d" => :token_malformed, "\xFF.\xFE.x" => :token_malformed,
      LONG => :token_too_large }.each do |text, status|
      assert_equal status, assert_raises(Torii::TokenError) { verifier.verify(text) }.status
      assert_raises(Torii::TokenError) { verifier.authenticate(text) }
    end
    assert_raises(TypeError) { verifier.verify(:token) }
    assert_match(/header: Integer/, assert_raises(TypeError) { verifier.authenticate(1) }.message)
  end

  def test_a_claim_with_a_nul
    auth = Torii::Verifier.new(issuer).verify(token(claims: { note: "a\0b", o: "\u00e9\u{1F600}" }))
    assert_equal "a\0b", auth['note']
    assert_equal "\u00e9\u{1F600}", auth['o']
    assert_equal Encoding::UTF_8, auth.user_id.encoding
  end

  def test_issuers
    ['', "https://a\0b.example", "https://\xFF.example", LONG].each do |text|
      assert_match(/issuer/, assert_raises(Torii::InvalidArgumentError) { Torii::Verifier.new(text) }.message)
    end
  end

  def test_fields
    client = client()
    user = client.users.create(first_name: "a\0b \u{1F600}", last_name: '')
    assert_equal ["a\0b \u{1F600}", ''], [user.first_name, user.last_name]
    error = assert_raises(Torii::InvalidArgumentError) { client.users.update(user.id, first_name: "\xFF") }
    assert_match(/first_name/, error.message)
    error = assert_raises(Torii::InvalidArgumentError) { client.users.update(user.id, first_name: "\xFF".b) }
    assert_match(/first_name/, error.message)
    assert_raises(Torii::InvalidArgumentError) { client.users.update(user.id, first_name: Float::NAN) }
    client.users.update(user.id, first_name: LONG)
    assert_equal LONG, JSON.parse(requests('/api/').last['body'])['firstName']
  end

  def test_ids
    client = client()
    ['', "a\0b", "\xFF", LONG].each do |id|
      assert_match(/user_id/, assert_raises(Torii::InvalidArgumentError) { client.users.get(id) }.message)
    end
    assert_match(/user_id/, assert_raises(TypeError) { client.users.get(1) }.message)
  end
end
