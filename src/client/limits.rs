//! What the server accepts, as its CONNACK said, and whether a request keeps to it.

use super::{Misuse, request::Content};
use crate::{
    codec::{ConnAckProperties, MAXIMUM_PACKET_SIZE, PacketId, ProtocolVersion, Publish, QoS, Subscribe, Unsubscribe},
    topic::{TopicFilter, TopicName},
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    version: ProtocolVersion,
    pub(super) maximum_packet_size: usize,
    maximum_qos: QoS,
    retain: bool,
    wildcard_subscriptions: bool,
    shared_subscriptions: bool,
    pub(super) subscription_identifiers: bool,
}

impl Limits {
    /// Those of a server that has not spoken yet: the protocol's own.
    pub(super) fn of_protocol(version: ProtocolVersion) -> Self {
        Self::of_server(version, &ConnAckProperties::default())
    }

    pub(super) fn of_server(version: ProtocolVersion, properties: &ConnAckProperties) -> Self {
        let maximum_packet_size = properties.maximum_packet_size.map_or(MAXIMUM_PACKET_SIZE, u32::from);
        Self {
            version,
            maximum_packet_size: maximum_packet_size.min(MAXIMUM_PACKET_SIZE) as usize,
            maximum_qos: properties.maximum_qos.unwrap_or(QoS::ExactlyOnce),
            retain: properties.retain_available.unwrap_or(true),
            wildcard_subscriptions: properties.wildcard_subscription_available.unwrap_or(true),
            shared_subscriptions: properties.shared_subscription_available.unwrap_or(true),
            subscription_identifiers: version == ProtocolVersion::V5
                && properties.subscription_identifiers_available.unwrap_or(true),
        }
    }

    /// Whether the request keeps to the standard and to the server's limits, and how large its packet is.
    pub(super) fn check(&self, content: &Content) -> Result<usize, Misuse> {
        match content {
            Content::Publish(publish) => self.check_publish(publish)?,
            Content::Subscribe(subscribe, _) => self.check_subscribe(subscribe)?,
            Content::Unsubscribe(unsubscribe) => check_unsubscribe(unsubscribe)?,
        }
        let size = match content {
            Content::Publish(publish) => publish.size(self.version),
            _ => content.question(PacketId::FIRST, self).map_or(0, |packet| packet.size(self.version)),
        };
        // [MQTT-3.2.2-15]
        let maximum = self.maximum_packet_size;
        if size <= maximum { Ok(size) } else { Err(Misuse::PacketTooLarge { size, maximum }) }
    }

    fn check_publish(&self, publish: &Publish) -> Result<(), Misuse> {
        TopicName::parse(publish.topic.clone())?;
        // [MQTT-3.3.2-14]
        publish.properties.response_topic.clone().map(TopicName::parse).transpose()?;
        // [MQTT-3.2.2-11]
        if publish.qos > self.maximum_qos {
            return Err(Misuse::QoSNotSupported { maximum: self.maximum_qos });
        }
        // [MQTT-3.2.2-14]
        if publish.retain && !self.retain {
            return Err(Misuse::RetainNotSupported);
        }
        Ok(())
    }

    fn check_subscribe(&self, subscribe: &Subscribe) -> Result<(), Misuse> {
        const MAXIMUM_SUBSCRIPTION_IDENTIFIER: u32 = 268_435_455;
        if subscribe.filters.is_empty() {
            return Err(Misuse::NoFilters);
        }
        if let Some(identifier) = subscribe.properties.subscription_identifier {
            if !self.subscription_identifiers {
                return Err(Misuse::SubscriptionIdentifiersNotSupported);
            }
            if identifier.get() > MAXIMUM_SUBSCRIPTION_IDENTIFIER {
                return Err(Misuse::InvalidSubscriptionIdentifier);
            }
        }
        for subscription in &subscribe.filters {
            let filter = TopicFilter::parse(subscription.filter.clone())?;
            let is_shared = filter.share_name().is_some();
            if is_shared && !self.shared_subscriptions {
                return Err(Misuse::SharedSubscriptionsNotSupported);
            }
            if is_shared && subscription.options.no_local {
                return Err(Misuse::NoLocalOnShared);
            }
            if filter.has_wildcards() && !self.wildcard_subscriptions {
                return Err(Misuse::WildcardSubscriptionsNotSupported);
            }
        }
        Ok(())
    }
}

fn check_unsubscribe(unsubscribe: &Unsubscribe) -> Result<(), Misuse> {
    if unsubscribe.filters.is_empty() {
        return Err(Misuse::NoFilters);
    }
    for filter in &unsubscribe.filters {
        TopicFilter::parse(filter.clone())?;
    }
    Ok(())
}
