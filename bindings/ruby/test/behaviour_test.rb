# frozen_string_literal: true

require_relative 'test_helper'

# The verdicts every binding must give.
class BehaviourTest < Minitest::Test
  CORPUS = JSON.parse(File.read(File.join(ROOT, 'tests/behaviour/verify.json')))
  AUTH = { 'email_verified' => :email_verified?, 'profile_complete' => :profile_complete?,
           'impersonating' => :impersonating? }.freeze
  CORPUS['cases'].each { |example| define_method("test_#{example['name']}") { check(example) } }
  CORPUS['webhooks'].each { |example| define_method("test_#{example['name']}") { check_webhook(example) } }

  Minitest.after_run do
    puts "behaviour: #{CORPUS['cases'].size} cases", "behaviour: #{CORPUS['webhooks'].size} webhooks"
  end

  private

  def check(example)
    status, auth = verdict(example)
    assert_equal example['expect']['status'], status
    example['expect'].fetch('auth', {}).each do |name, expected|
      expected = text(expected) if expected.is_a?(Hash)
      assert expected == member(auth, name), "#{name} is another"
    end
  end

  def verdict(example)
    verifier = verifier(example)
    header = example['header']
    auth = header ? verifier.authenticate(text(header)) : verifier.verify(text(example['token']))
    ['TORII_OK', auth]
  rescue Torii::Error => e
    ["TORII_ERR_#{e.status.upcase}", nil]
  end

  def check_webhook(example)
    status, webhook = webhook_verdict(example)
    expected = example['expect']
    assert_equal expected['status'], status
    return unless webhook

    assert_equal [text(example['id']), expected['sent_at'], expected['secret_index']],
                 [webhook.id, webhook.sent_at.to_i, webhook.secret_index]
  end

  def webhook_verdict(example)
    headers = %w[id timestamp signature].to_h { |name| ["webhook-#{name}", text(example[name])] }
    webhook = Torii::Webhook.verify([example['body_hex']].pack('H*'), headers.reject { |_, value| value.empty? },
                                    secrets: example['secrets'], tolerance: example['tolerance'],
                                    now: Time.at(example['now']))
    ['TORII_OK', webhook]
  rescue Torii::Error => e
    ["TORII_ERR_#{e.status.upcase}", nil]
  end

  def verifier(example)
    options = example['options']
    Torii::Verifier.new(
      options['issuer'],
      jwks: keys(example['key_set']),
      issuers: options.fetch('issuers', []).to_h { |further| [further['issuer'], keys(further['key_set'])] },
      audiences: options.fetch('audiences', []),
      leeway: options['leeway'],
      require: options.fetch('require', []).map(&:to_sym),
      clock: options['now'] && -> { options['now'] }
    )
  end

  def keys(name) = text(CORPUS['key_sets'].fetch(name)['jwks'])

  def text(value) = value.is_a?(String) ? value : value['repeat'].map { |piece, times| piece * times }.join

  def member(auth, name)
    value = auth.public_send(AUTH.fetch(name, name))
    value.is_a?(Time) ? value.to_i : value
  end
end
