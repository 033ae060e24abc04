"""How every form of the portal is drawn, allauth's included."""

from django.forms.renderers import TemplatesSetting

__all__ = ["PortalRenderer"]


class PortalRenderer(TemplatesSetting):
    """Draws a form with an error summary and each field with its label, help and error tied to it."""

    form_template_name = "portal/parts/form.html"
    field_template_name = "portal/parts/field.html"
