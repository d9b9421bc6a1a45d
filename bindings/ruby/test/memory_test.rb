# frozen_string_literal: true

require_relative 'test_helper'

# Everything that the library allocates is freed.
class MemoryTest < Minitest::Test
  include EmulatorTest

  def test_verifications
    verifier = Torii::Verifier.new(issuer)
    valid = token
    assert_flat(10_000, 100_000) do
      verifier.verify(valid)
      verifier.verify('invalid')
    rescue Torii::TokenError
      nil
    end
  end

  def test_a_clock_that_raises
    fail_now = false
    verifier = Torii::Verifier.new(issuer, clock: -> { fail_now ? raise(IOError) : Time.now })
    valid = token
    verifier.verify(valid)
    fail_now = true
    assert_flat(10_000, 100_000) do
      verifier.verify(valid)
    rescue IOError
      nil
    end
  end

  def test_calls
    client = client()
    assert_flat(200, 1000) { client.allowed_origins.get }
    assert_flat(50, 200) do
      client.users.get(USER)
    rescue Torii::ApiError
      nil
    end
  end

  def test_verifiers
    assert_flat(1000, 10_000) { Torii::Verifier.new(issuer, audiences: ['a']).close }
    assert_flat(1000, 10_000) { Torii::Verifier.new(issuer) }
    assert_flat(1000, 10_000) { Torii::Requirements.new(:email_verified, organizations: ['org-1']) }
    assert_flat(1000, 10_000) { Torii::WebhookVerifier.new([Sender::SECRET, Sender::OTHER]) }
  end

  def test_webhooks
    headers = Sender.sign('{}')
    webhooks = Torii::WebhookVerifier.new(Sender::SECRET)
    assert_flat(1000, 20_000) do
      webhooks.verify('{}', headers)
      webhooks.verify('', headers)
    rescue Torii::WebhookError
      nil
    end
  end

  private

  # The garbage collector runs often enough that objects waiting for it do not count as growth.
  def assert_flat(warm_up, times, &block)
    warm_up.times(&block)
    GC.start
    before = rss
    times.times do |number|
      block.call
      GC.start if (number % 1000).zero?
    end
    GC.start
    assert_operator rss - before, :<, 2048, 'KiB of growth'
  end
end
