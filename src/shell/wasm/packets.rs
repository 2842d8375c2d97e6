//! The members that JavaScript knows of what a client's packets carry.

use super::{
    from_js::readable,
    to_js::{exchanged, writable},
};
use crate::codec::{
    AckProperties, AuthProperties, ConnAckProperties, ConnectProperties, DisconnectProperties, SubscribeProperties,
    SubscriptionOptions, Will, WillProperties,
};

readable!(ConnectProperties {
    session_expiry_interval,
    receive_maximum,
    maximum_packet_size,
    topic_alias_maximum,
    request_response_information,
    request_problem_information,
    user_properties,
    authentication_method,
    authentication_data,
});

readable!(Will { qos, retain, properties, topic, payload });

readable!(WillProperties {
    will_delay_interval,
    payload_format_indicator,
    message_expiry_interval,
    content_type,
    response_topic,
    correlation_data,
    user_properties,
});

readable!(SubscribeProperties { subscription_identifier, user_properties });

readable!(SubscriptionOptions { qos, no_local, retain_as_published, retain_handling });

exchanged!(DisconnectProperties { session_expiry_interval, reason_string, user_properties, server_reference });

exchanged!(AuthProperties { authentication_method, authentication_data, reason_string, user_properties });

writable!(ConnAckProperties {
    session_expiry_interval,
    receive_maximum,
    maximum_qos,
    retain_available,
    maximum_packet_size,
    assigned_client_identifier,
    topic_alias_maximum,
    reason_string,
    user_properties,
    wildcard_subscription_available,
    subscription_identifiers_available,
    shared_subscription_available,
    server_keep_alive,
    response_information,
    server_reference,
    authentication_method,
    authentication_data,
});

writable!(AckProperties { reason_string, user_properties });
