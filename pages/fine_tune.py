"""Fine-tune: teach a network that has seen a million photos to tell your own apart."""

import streamlit as st

from cnnkit.ui.finetune import contact, data
from cnnkit.ui.messages import shown_errors, source
from cnnkit.ui.page import open_page

open_page("Fine-tune", "Teach a network that has seen a million photos to tell yours apart.")

with shown_errors():
    dataset = data.choose_data()
    if dataset is None:
        st.stop()
    contact.show_data(dataset)
source("17 flowers with VGG16, after aidiary 2017: fine-tuning VGG16.")
